import { randomInt } from 'node:crypto';

/** An odd number, different in each process: a sender cannot construct many ids that collide. */
const FACTOR = 2 * randomInt(2 ** 30) + 1;

/** The place of a 32-bit number in a table of `2 ** bits` places (multiplicative hashing: Knuth, TAOCP 3, 6.4). */
export function placeOf(number: number, bits: number): number {
  return Math.imul(number, FACTOR) >>> (32 - bits);
}
