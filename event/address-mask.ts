import { createDailyHash } from './daily-hash.ts';
import { unmapped } from './ipv4-mapped.ts';

/** What is kept of a client's address. */
export const IP_MODES = ['full', 'truncate', 'hash', 'drop'] as const;
export type IpMode = (typeof IP_MODES)[number];

export type AddressMaskOptions = {
  mode: IpMode;
  /** Needed for `hash`: the same on every node, and secret. */
  salt?: string | undefined;
};

/** What to keep of the address `ip` in an event of `time` (ms since 1970); undefined for nothing. */
export type AddressMask = (ip: string, time: number) => string | undefined;

const SIX_TO_FOUR = 0x2002;
/** What `hash` makes: no address is that long without a dot or a colon. */
const HASHED = /^[0-9a-f]{16}$/;

/**
 * The way in which addresses are kept.
 *
 * `truncate` gives the network's first address, /24 for IPv4 and /48 for IPv6. `hash` gives 16 hex digits that are the same
 * for one address on one UTC day, on every node with the same salt. It is a pseudonym: who has the salt can try all
 * addresses.
 * `unix:`, nginx's address for a client on a unix socket, identifies nobody and stays. What was masked stays as it is when
 * it is masked again: it may pass another part that is configured alike.
 *
 * Throws where `hash` has no salt.
 */
export function createAddressMask({ mode, salt }: AddressMaskOptions): AddressMask {
  if (mode === 'full') return (ip) => ip;
  if (mode === 'drop') return () => undefined;
  if (mode === 'truncate') return (ip) => (ip === 'unix:' ? ip : truncate(unmapped(ip)));
  if (salt === undefined || salt === '') throw new Error('hashing addresses needs a salt');
  const hashOf = createDailyHash(salt, 'ip');
  return (ip, time) => (ip === 'unix:' || isHashedAddress(ip) ? ip : hashOf(unmapped(ip), time));
}

/** Whether it is what `hash` makes of an address. */
export function isHashedAddress(ip: string): boolean {
  return HASHED.test(ip);
}

function truncate(ip: string): string {
  if (!ip.includes(':')) return `${ip.slice(0, ip.lastIndexOf('.'))}.0`;
  const [first, second, third] = firstGroups(ip);
  // 6to4 has the IPv4 address in the bits 16 to 47.
  const last = first === SIX_TO_FOUR ? third & 0xff00 : third;
  if (last !== 0) return `${first.toString(16)}:${second.toString(16)}:${last.toString(16)}::`;
  if (second !== 0) return `${first.toString(16)}:${second.toString(16)}::`;
  return first === 0 ? '::' : `${first.toString(16)}::`;
}

/** The first 48 bits of an IPv6 address. */
function firstGroups(ip: string): [number, number, number] {
  const gap = ip.indexOf('::');
  const head = groupsOf(gap === -1 ? ip : ip.slice(0, gap));
  if (gap === -1 || head.length >= 3) return [head[0] ?? 0, head[1] ?? 0, head[2] ?? 0];
  const tail = groupsOf(ip.slice(gap + 2));
  // A dotted end counts as two groups.
  const zeros = 8 - head.length - tail.length - (ip.includes('.') ? 1 : 0);
  const groups = [...head, ...new Array<number>(zeros).fill(0), ...tail];
  return [groups[0] ?? 0, groups[1] ?? 0, groups[2] ?? 0];
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
