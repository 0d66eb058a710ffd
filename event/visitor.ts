import { createDailyHash, type DailyHash } from './daily-hash.ts';
import type { HotItemEvent } from './event.ts';

/**
 * What is kept of `$hotitem_visitor`, which may be a cookie: never the key itself. Without a salt a key can be found by trying
 * all of them, which is hopeless for a session's and easy for a customer's number.
 */
export function createVisitorHash(salt = ''): DailyHash {
  return createDailyHash(salt, 'visitor');
}

/**
 * Who viewed: the visitor key where the shop has one, else address and user agent together, as far as they are kept. Undefined
 * where neither a key nor an address is. For counting, in one day: two visitors among a million are taken for one with odds of
 * 1 in 18,000.
 */
export function visitorOf({ visitor, ip, ua }: HotItemEvent): string | undefined {
  if (visitor !== undefined) return visitor;
  return ip === undefined ? undefined : hashOf(ip, ua ?? '');
}

/** cyrb53 by bryc: 53 bits, quick for short texts, no secret in it. */
function hashOf(ip: string, ua: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < ip.length; i++) {
    const code = ip.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  // So that no end of an address passes for the beginning of a user agent.
  high = Math.imul(high ^ 0x10000, 2654435761);
  low = Math.imul(low ^ 0x10000, 1597334677);
  for (let i = 0; i < ua.length; i++) {
    const code = ua.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}
