import { randomInt } from 'node:crypto';
import { mix } from './mix.ts';

/*
 * A hash of spans of bytes, with a random key per process. If the steps of a hash are known, a client can choose texts that collide for every
 * seed: an item that counts as another. Here any two texts collide with odds of one in 2^64 (2^32 for one word of the two) for a client who
 * does not know the key.
 *
 * Multilinear hashing: the sum of the text's pairs of bytes, each times a random word, without the lower half of the sum. D. Lemire,
 * O. Kaser, Strongly Universal String Hashing is Fast, The Computer Journal 57 (2014). There are four sums, each with the key shifted by a word
 * (a Toeplitz matrix): at the last pair in which two texts differ, each sum uses a word of the key that the sums before it do not.
 * Hashes of similar texts are still in order after that, so the result is mixed.
 */

export type SpanHash = {
  /** Hashes bytes `at` to `until`. Bytes beyond `MOST_HASHED` count by their number only. */
  hash(bytes: Buffer, at: number, until: number): void;
  /** Two words of 32 scattered bits, signed, of what was hashed last. */
  bits(word: 0 | 1): number;
};

/** As long as 256 characters can be in UTF-8. */
export const MOST_HASHED = 768;
const SUMS = 4;
const UPPER = 0xffff_0000;

export function createSpanHash(): SpanHash {
  const key = Int32Array.from({ length: MOST_HASHED / 2 + 2 + SUMS }, () => randomInt(2 ** 32) | 0);
  const found = new Int32Array(2);
  let from: Buffer = Buffer.alloc(0);
  let view = new DataView(from.buffer, from.byteOffset, 0);
  return { hash, bits: (word) => found[word] ?? 0 };

  function hash(bytes: Buffer, at: number, until: number): void {
    if (bytes !== from) view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    from = bytes;
    const words = view;
    const length = until - at;
    const end = at + Math.min(length, MOST_HASHED);
    let key0 = key[1] ?? 0;
    let key1 = key[2] ?? 0;
    let key2 = key[3] ?? 0;
    let key3 = key[4] ?? 0;
    let sum0 = Math.imul(key[0] ?? 0, length);
    let sum1 = Math.imul(key0, length);
    let sum2 = Math.imul(key1, length);
    let sum3 = Math.imul(key2, length);
    for (let i = at, k = 1 + SUMS; i < end; i += 4, k += 2) {
      const word = i + 4 <= end ? words.getInt32(i, true) : lastBytes(bytes, i, end);
      const first = word & 0xffff;
      const second = word >>> 16;
      const key4 = key[k] ?? 0;
      const key5 = key[k + 1] ?? 0;
      sum0 = (sum0 + Math.imul(key0, first) + Math.imul(key1, second)) | 0;
      sum1 = (sum1 + Math.imul(key1, first) + Math.imul(key2, second)) | 0;
      sum2 = (sum2 + Math.imul(key2, first) + Math.imul(key3, second)) | 0;
      sum3 = (sum3 + Math.imul(key3, first) + Math.imul(key4, second)) | 0;
      key0 = key2;
      key1 = key3;
      key2 = key4;
      key3 = key5;
    }
    found[0] = mix((sum0 & UPPER) | (sum1 >>> 16));
    found[1] = mix((sum2 & UPPER) | (sum3 >>> 16));
  }
}

/** The last word of a text, with fewer than four bytes, padded with zeros. */
function lastBytes(bytes: Buffer, at: number, end: number): number {
  let word = 0;
  for (let i = at; i < end; i++) word |= (bytes[i] ?? 0) << (8 * (i - at));
  return word;
}
