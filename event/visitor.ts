import { createDailyHash, type DailyHash } from './daily-hash.ts';
import type { HotItemEvent } from './event.ts';
import { createMemo } from './memo.ts';

/**
 * What is kept of `$hotitem_visitor`, which may be a cookie: never the key itself. Without a salt a key can be found by trying
 * all of them, which is hopeless for a session's and easy for a customer's number.
 */
export function createVisitorHash(salt = ''): DailyHash {
  return createDailyHash(salt, 'visitor');
}

const REMEMBERED_AGENTS = 4096;
const agentOf = createMemo(REMEMBERED_AGENTS, hashOf);

/**
 * Who viewed: the visitor key where the shop has one, else address and user agent together, as far as they are kept. Undefined
 * where there is neither a key nor an address. Two texts that differ are two visitors of a day.
 */
export function visitorOf({ visitor, ip, ua }: HotItemEvent): string | undefined {
  if (visitor !== undefined) return visitor;
  if (ip === undefined || ua === undefined || ua === '') return ip;
  return `${ip} ${agentOf(ua)}`;
}

/** FNV-1a, 32 bits: it only has to tell apart the browsers behind one address. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}
