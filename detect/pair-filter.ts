import { cacheLines } from './cache-lines.ts';

/*
 * Remembers which visitor viewed which item, how often and when last, for ten to twenty seconds, in a fixed amount of memory. A hash table
 * whose buckets hold four cells for the current period and four for the previous one. A cell has a tag of 20 bits, the second in 8 and a
 * count in 4. A new pair replaces the pair of its bucket with the lowest count: a visitor who is replaced counts as a newcomer again. Two
 * pairs of a bucket have the same tag once in a million times.
 */
export type PairFilter = {
  /**
   * Records a view of a pair (32 scattered bits) in a second. Returns how often the pair was seen in this period, including this view, up
   * to `MOST_SEEN`: 1 for a newcomer, `RETURNED` for the first view in this period by a pair that was seen in the previous one. The bits
   * above `COUNT_BITS` hold how many seconds ago it was last seen; 0 for a newcomer and for a late view.
   */
  see(pair: number, second: number): number;
  /** Reads what `see` will need, as `fetch` of admission does. */
  fetch(pairs: Int32Array, length: number): number;
  /** Begins the next period, and forgets the one before the previous. */
  turn(): void;
  bytes: number;
};

export const COUNT_BITS = 4;
export const MOST_SEEN = (1 << COUNT_BITS) - 1;
export const RETURNED = 0;

const SECOND_BITS = 8;
const SECONDS = (1 << SECOND_BITS) - 1;
const TAG_SHIFT = COUNT_BITS + SECOND_BITS;
const WAYS = 4;
const BUCKET_WORDS = 2 * WAYS;
/** Zero marks an empty cell. */
const NOT_EMPTY = 1;

/** `bits`: log2 of the number of cells per period. 18 takes 2 × 1 MB, for 100,000 pairs in ten seconds. */
export function createPairFilter(bits = 18): PairFilter {
  const buckets = (1 << bits) / WAYS;
  const cells = cacheLines(buckets * BUCKET_WORDS);
  /** Offset of the current period in a bucket. */
  let current = 0;
  return {
    see(pair, second) {
      const bucket = (pair & (buckets - 1)) * BUCKET_WORDS;
      const tag = Math.imul(pair, 0x9e3779b1) >>> TAG_SHIFT || NOT_EMPTY;
      const first = bucket + current;
      let least = first;
      let leastCount = MOST_SEEN + 1;
      for (let at = first; at < first + WAYS; at++) {
        const cell = cells[at] ?? 0;
        const count = cell & MOST_SEEN;
        if (cell >>> TAG_SHIFT === tag)
          return seeAgain(at, cell, count < MOST_SEEN ? count + 1 : count, second);
        if (count >= leastCount) continue;
        least = at;
        leastCount = count;
      }
      const before = bucket + (current ^ WAYS);
      for (let at = before; at < before + WAYS; at++) {
        const cell = cells[at] ?? 0;
        if (cell >>> TAG_SHIFT !== tag) continue;
        return seeAgain(least, cell, 1, second) - 1;
      }
      cells[least] = (tag << TAG_SHIFT) | ((second & SECONDS) << COUNT_BITS) | 1;
      return 1;
    },
    fetch(pairs, length) {
      const all = cells;
      let read = 0;
      for (let i = 0; i < length; i++) read ^= all[((pairs[i] ?? 0) & (buckets - 1)) * BUCKET_WORDS] ?? 0;
      return read;
    },
    turn() {
      current ^= WAYS;
      for (let first = current; first < cells.length; first += BUCKET_WORDS)
        for (let at = first; at < first + WAYS; at++) cells[at] = 0;
    },
    bytes: cells.byteLength,
  };

  function seeAgain(at: number, cell: number, count: number, second: number): number {
    const passed = (second - (cell >>> COUNT_BITS)) & SECONDS;
    // A difference of more than half the range is negative: this view is late.
    const isLater = passed <= SECONDS >> 1;
    const seconds = isLater ? second & SECONDS : (cell >>> COUNT_BITS) & SECONDS;
    cells[at] = ((cell >>> TAG_SHIFT) << TAG_SHIFT) | (seconds << COUNT_BITS) | count;
    return isLater ? (passed << COUNT_BITS) | count : count;
  }
}
