import { createHmac, hash } from 'node:crypto';

/** The pseudonym of a value on the UTC day of `time` (ms since 1970): 16 hex digits, different each day. */
export type DailyHash = (value: string, time: number) => string;

const DAY_MS = 86_400_000;
/** Around midnight two days are in use, and a third while spill files are read. */
const KEPT_KEYS = 4;
/** 64 bits: among ten million values of a day the odds that any two are taken for one are 1 in 370,000. */
const DIGITS = 16;

/**
 * SHA-512/256 of key and value. It is a sound keyed hash without HMAC, because it reveals only half of its state, and takes a
 * quarter of the time of node's HMAC-SHA-256 (0.6 against 2.3 µs), so that no memory of values is worth having.
 * The key of a day is the HMAC of its date and of `what` is hashed, always 64 characters.
 */
export function createDailyHash(salt: string, what: string): DailyHash {
  const keys = new Map<number, string>();
  return (value, time) => hash('sha512-256', keyOf(time) + value, 'hex').slice(0, DIGITS);

  function keyOf(time: number): string {
    const day = Math.floor(time / DAY_MS);
    const known = keys.get(day);
    if (known !== undefined) return known;
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    const key = createHmac('sha256', salt).update(`hotitem ${what} ${date}`).digest('hex');
    if (keys.size >= KEPT_KEYS) keys.clear();
    keys.set(day, key);
    return key;
  }
}
