import { randomInt } from 'node:crypto';
import { hasOdd, IS_PLAIN, NEWLINE } from './line-bytes.ts';
import { mix } from './mix.ts';

/*
 * How a line ends: the user agent, which may hold tabs. It is by far the longest field, so its end is found and its bytes are hashed in one
 * pass, four bytes at a time.
 *
 * The hash has a random key, for the reason given in `span-hash.ts`: a client must not be able to make a user agent that gets the verdict of
 * another. To save half of the multiplications, each half of a word is added to a word of the key, and the two sums are multiplied
 * (Multilinear-HM in the same paper). Two such sums, the second with the key shifted by two words: the odds of a collision are one in 2^32.
 */

export type LineAgent = {
  /** Reads the user agent that begins at `at`. Returns where it, and the line, ends. */
  read(lines: Buffer, view: DataView, at: number): number;
  /** Not 0 if it has bytes that JSON escapes or that are not ASCII. */
  odd(): number;
  /** Two words of 32 scattered bits, signed, of the hash. */
  bits(word: 0 | 1): number;
};

/** Bytes beyond these share a word of the key: no part of a user agent beyond 1,024 characters is used. */
const KEYED_BYTES = 1024;
const WORD_BYTES = 4;
const LAST_KEY = (2 * KEYED_BYTES) / WORD_BYTES;
const LENGTH_KEY = LAST_KEY + 2;

export function createLineAgent(): LineAgent {
  const key = Int32Array.from({ length: LENGTH_KEY + 2 }, () => randomInt(2 ** 32) | 0);
  const found = new Int32Array(2);
  let odd = 0;
  return { read, odd: () => odd, bits: (word) => found[word] ?? 0 };

  function read(lines: Buffer, view: DataView, at: number): number {
    const keys = key;
    const lastWord = lines.length - WORD_BYTES;
    let high = 0;
    let low = 0;
    let i = at;
    let k = 2;
    let key0 = keys[0] ?? 0;
    let key1 = keys[1] ?? 0;
    for (; i <= lastWord && k < LAST_KEY; i += WORD_BYTES, k += 2) {
      const word = view.getInt32(i, true);
      if (hasOdd(word)) break;
      const first = word & 0xffff;
      const second = word >>> 16;
      const key2 = keys[k] ?? 0;
      const key3 = keys[k + 1] ?? 0;
      high = (high + Math.imul(key0 + first, key1 + second)) | 0;
      low = (low + Math.imul(key2 + first, key3 + second)) | 0;
      key0 = key2;
      key1 = key3;
    }
    let isOdd = 0;
    // The rest byte by byte, in words at the same places; zeros fill up the last.
    for (let shift = 32; shift === 32; ) {
      let word = 0;
      for (shift = 0; shift < 32 && i < lines.length && lines[i] !== NEWLINE; i++, shift += 8) {
        const byte = lines[i] ?? 0;
        isOdd |= 1 - (IS_PLAIN[byte] ?? 0);
        word |= byte << shift;
      }
      const first = word & 0xffff;
      const second = word >>> 16;
      high = (high + Math.imul((keys[k - 2] ?? 0) + first, (keys[k - 1] ?? 0) + second)) | 0;
      low = (low + Math.imul((keys[k] ?? 0) + first, (keys[k + 1] ?? 0) + second)) | 0;
      if (k < LAST_KEY) k += 2;
    }
    found[0] = mix(high + Math.imul(keys[LENGTH_KEY] ?? 0, i - at));
    found[1] = mix(low + Math.imul(keys[LENGTH_KEY + 1] ?? 0, i - at));
    odd = isOdd;
    return i;
  }
}
