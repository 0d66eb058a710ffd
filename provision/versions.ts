/** The versions of nginx that are obtained here. Debian's packages are vouched for by the archive's signature, which apt checks. */

export type Suite = 'bookworm' | 'trixie' | 'sid';

/** What each suite's packages hold. Debian keeps the upstream version of a stable suite; sid moves on. */
export const NGINX: Record<Suite, { nginx: string; njs: string } | undefined> = {
  bookworm: { nginx: '1.22.1', njs: '0.7.9' },
  trixie: { nginx: '1.26.3', njs: '0.8.9' },
  sid: undefined,
};

/** The oldest njs that the default configuration runs on: `js_periodic` appears with it. */
export const OLDEST_NJS = '0.8.1';
