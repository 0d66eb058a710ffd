import { MOST_BYTES, type Page } from './page.ts';

/*
 * Whether one page may be shown to everybody. A shop's pages carry names, carts and tokens; what is not clearly the same for all is refused,
 * with the reason in words for people.
 */

/** `kind` is one of a few, for metrics; `reason` is for people. */
export type Refusal = { kind: RefusalKind; reason: string };
export type RefusalKind = (typeof REFUSAL_KINDS)[number];
export const REFUSAL_KINDS = [
  'status',
  'cookie',
  'forbidden',
  'vary',
  'compressed',
  'too_large',
  'incomplete',
  'differs',
  'not_stored',
] as const;

const FORBIDDEN = /(?:^|[\s,;])(private|no-store|no-cache|(?:max-age|s-maxage)="?0+"?)(?=$|[\s,;])/i;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,40}(?==)/i;

/** Why the answer must not be shared, even if all get the same; undefined if nothing forbids it. `now` in ms since 1970. */
export function whyNotShared({ status, headers, isWhole, bytes }: Page, now: number): Refusal | undefined {
  if (status !== 200) return refusal('status', `answers ${status}`);
  const cookies = headers.get('set-cookie');
  if (cookies !== undefined) return refusal('cookie', `sets ${cookieNames(cookies)}`);
  const control = FORBIDDEN.exec((headers.get('cache-control') ?? []).join(','))?.[1];
  if (control !== undefined) return refusal('forbidden', `says Cache-Control: ${control}`);
  const varies = (headers.get('vary') ?? []).flatMap((value) => value.split(',')).map((name) => name.trim());
  const other = varies.find((name) => name !== '' && name.toLowerCase() !== 'accept-encoding');
  if (other !== undefined) return refusal('vary', `varies by ${other.slice(0, 60)}`);
  if (headers.has('content-encoding'))
    return refusal('compressed', 'is compressed although nobody asked for it');
  if (isExpired(headers.get('expires') ?? [], now))
    return refusal('forbidden', 'says that it has expired (Expires)');
  if ((headers.get('x-accel-expires') ?? []).some((value) => /^@?0+$/.test(value.trim())))
    return refusal('forbidden', 'says X-Accel-Expires: 0');
  if (bytes > MOST_BYTES) return refusal('too_large', `is larger than ${MOST_BYTES / 1_000_000} MB`);
  if (!isWhole) return refusal('incomplete', 'ended before it was whole');
  // As applications answer that died before they wrote anything.
  if (bytes === 0) return refusal('incomplete', 'is empty');
  return undefined;
}

export function refusal(kind: RefusalKind, reason: string): Refusal {
  return { kind, reason };
}

/** Why two visitors must not get the same page, of which `a` and `b` are what each got; undefined if these are equal. */
export function difference(a: Page, b: Page, who: string): Refusal | undefined {
  if (a.body.equals(b.body)) return undefined;
  return refusal('differs', `differs ${who} at byte ${firstDifference(a.body, b.body)}`);
}

function firstDifference(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return length;
}

/** Names alone: a value may be somebody's session. */
function cookieNames(cookies: string[]): string {
  const names = cookies.map((cookie) => NAME.exec(cookie.trim())?.[0] ?? 'a cookie');
  return [...new Set(names)].slice(0, 3).join(', ');
}

/** An `Expires` that is no date counts as one in the past (RFC 9111, 5.3). */
function isExpired(values: string[], now: number): boolean {
  return values.some((value) => !(Date.parse(value) > now));
}
