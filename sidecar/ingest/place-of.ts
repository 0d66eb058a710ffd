import { randomInt } from 'node:crypto';

/** Odd, and different in each process: who makes ids cannot make many that lie in one place. */
const FACTOR = 2 * randomInt(2 ** 30) + 1;

/** Where in a table of `2 ** bits` places a number of 32 bits lies (multiplicative hashing: Knuth, TAOCP 3, 6.4). */
export function placeOf(number: number, bits: number): number {
  return Math.imul(number, FACTOR) >>> (32 - bits);
}
