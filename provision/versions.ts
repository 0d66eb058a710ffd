/** The versions of nginx that are obtained here. Debian's packages need no checksum: apt checks the archive's signature. */

export type Suite = 'bookworm' | 'trixie' | 'sid';

/** The versions in each suite. Debian keeps the upstream version of a stable suite; sid changes. */
export const NGINX: Record<Suite, { nginx: string; njs: string } | undefined> = {
  bookworm: { nginx: '1.22.1', njs: '0.7.9' },
  trixie: { nginx: '1.26.3', njs: '0.8.9' },
  sid: undefined,
};

/** The oldest njs for the default configuration: the first with `js_periodic`. */
export const OLDEST_NJS = '0.8.1';
