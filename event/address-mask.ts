import { createHmac, hash } from 'node:crypto';

/** What is kept of a client's address. */
export const IP_MODES = ['full', 'truncate', 'hash', 'drop'] as const;
export type IpMode = (typeof IP_MODES)[number];

export type AddressMaskOptions = {
  mode: IpMode;
  /** Needed for `hash`: the same on every node, known to nobody else. */
  salt?: string | undefined;
};

/** What to keep of the address `ip` in an event of `time` (ms since 1970); undefined for nothing. */
export type AddressMask = (ip: string, time: number) => string | undefined;

const DAY_MS = 86_400_000;
/** Around midnight two days are in use, and a third while spill files are taken in. */
const KEPT_KEYS = 4;
/** 64 bits: among ten million addresses of a day the odds that any two are taken for one are 1 in 370,000. */
const HASH_DIGITS = 16;
const MAPPED = '::ffff:';
const SIX_TO_FOUR = 0x2002;

/**
 * The way in which addresses are kept.
 *
 * `truncate` gives the network's first address, /24 for IPv4 and /48 for IPv6. `hash` gives 16 hex digits that are the same
 * for one address on one UTC day, on every node with the same salt. It is a pseudonym: who has the salt can try all
 * addresses. An IPv4 address that came in through an IPv6 socket (`::ffff:203.0.113.7`) counts as the IPv4 address.
 * `unix:`, nginx's word for a client on a unix socket, says nothing about anybody and stays.
 *
 * Throws where `hash` has no salt.
 */
export function createAddressMask({ mode, salt }: AddressMaskOptions): AddressMask {
  if (mode === 'full') return (ip) => ip;
  if (mode === 'drop') return () => undefined;
  if (mode === 'truncate') return (ip) => (ip === 'unix:' ? ip : truncate(unmapped(ip)));
  if (salt === undefined || salt === '') throw new Error('hashing addresses needs a salt');
  const hashOf = createDailyHash(salt);
  return (ip, time) => (ip === 'unix:' ? ip : hashOf(unmapped(ip), time));
}

/**
 * SHA-512/256 of key and address. It is a sound keyed hash by itself, for it shows half of its state only, and takes a
 * quarter of the time of node's HMAC-SHA-256 (0.6 against 2.3 µs), so that no memory of addresses is worth having.
 * The key of a day is the HMAC of its date, always 64 characters.
 */
function createDailyHash(salt: string): (ip: string, time: number) => string {
  const keys = new Map<number, string>();
  return (ip, time) => hash('sha512-256', keyOf(time) + ip, 'hex').slice(0, HASH_DIGITS);

  function keyOf(time: number): string {
    const day = Math.floor(time / DAY_MS);
    const known = keys.get(day);
    if (known !== undefined) return known;
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    const key = createHmac('sha256', salt).update(`hotitem ip ${date}`).digest('hex');
    if (keys.size >= KEPT_KEYS) keys.clear();
    keys.set(day, key);
    return key;
  }
}

function unmapped(ip: string): string {
  return ip.startsWith(MAPPED) && ip.includes('.') ? ip.slice(MAPPED.length) : ip;
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
  // A dotted end stands for two groups.
  const zeros = 8 - head.length - tail.length - (ip.includes('.') ? 1 : 0);
  const groups = [...head, ...new Array<number>(zeros).fill(0), ...tail];
  return [groups[0] ?? 0, groups[1] ?? 0, groups[2] ?? 0];
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
