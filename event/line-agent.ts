import { randomInt } from 'node:crypto';
import { hasOdd, IS_PLAIN, NEWLINE } from './line-bytes.ts';

/*
 * How a line ends: the user agent, which may hold tabs. It is the longest field by far, and its end is found and its bytes are hashed in one
 * go, four at a time.
 */

export type LineAgent = {
  /** Reads the user agent that begins at `at`. Returns where it, and the line, ends. */
  read(lines: Buffer, view: DataView, at: number): number;
  /** Not 0 where it has bytes that JSON escapes or that are not ASCII. */
  odd(): number;
  /** 64 bits of its hash, different in each process. */
  bits(word: 0 | 1): number;
};

export function createLineAgent(): LineAgent {
  const found = new Int32Array(2);
  const [seed0, seed1] = [randomInt(2 ** 31), randomInt(2 ** 31)];
  let odd = 0;
  return { read, odd: () => odd, bits: (word) => found[word] ?? 0 };

  function read(lines: Buffer, view: DataView, at: number): number {
    let high = seed0;
    let low = seed1;
    let i = at;
    for (const last = lines.length - 4; i <= last; i += 4) {
      const word = view.getInt32(i, true);
      if (hasOdd(word)) break;
      high = mixed(high ^ word);
      low = mixedAgain(low + word);
    }
    let isOdd = 0;
    let word = 0;
    let shift = 0;
    for (; i < lines.length && lines[i] !== NEWLINE; i++) {
      const byte = lines[i] ?? 0;
      isOdd |= 1 - (IS_PLAIN[byte] ?? 0);
      word |= byte << shift;
      shift += 8;
      if (shift < 32) continue;
      high = mixed(high ^ word);
      low = mixedAgain(low + word);
      word = 0;
      shift = 0;
    }
    // The last word may be the same for texts of different length.
    found[0] = mixed(high ^ word) ^ (i - at);
    found[1] = mixedAgain(low + word) ^ (i - at);
    odd = isOdd;
    return i;
  }
}

/** One step of a hash of words: the multipliers are those of MurmurHash3's finaliser. */
function mixed(word: number): number {
  const product = Math.imul(word, 0x85ebca6b);
  return (product << 13) | (product >>> 19);
}

/** The same of another hash. */
function mixedAgain(word: number): number {
  const product = Math.imul(word, 0xc2b2ae35);
  return product ^ (product >>> 15);
}
