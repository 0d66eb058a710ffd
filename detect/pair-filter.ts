/*
 * Remembers which visitor saw which item, for ten to twenty seconds, in a fixed amount of memory. It is a table of buckets of four
 * cells for this period and four for the one before, beside each other; a cell is a tag of 24 bits and a count of 8. A new pair takes
 * the place of the one of its bucket that was seen least: a visitor who is forgotten by that counts as new once more. Two pairs of one
 * bucket share a tag once in 16 million times.
 */
export type PairFilter = {
  /**
   * How often the pair was seen in this period, this time included: 1 for a newcomer, and `RETURNED` for one that comes for the first
   * time in this period and was seen in the one before. `pair`: 32 scattered bits.
   */
  count(pair: number): number;
  /** Begins the next period: what was seen in the period before this one is forgotten. */
  turn(): void;
  bytes: number;
};

export const RETURNED = 0;

const WAYS = 4;
const BUCKET_WORDS = 2 * WAYS;
const COUNT_BITS = 8;
const MOST_COUNTED = (1 << COUNT_BITS) - 1;
/** Zero marks an empty cell. */
const NOT_EMPTY = 1;

/** `bits`: of the number of cells a period. 2 × 1 MB at 18, for 100,000 pairs in ten seconds. */
export function createPairFilter(bits = 18): PairFilter {
  const buckets = (1 << bits) / WAYS;
  const cells = new Int32Array(buckets * BUCKET_WORDS);
  /** Where in a bucket this period is. */
  let current = 0;
  return {
    count(pair) {
      const bucket = (pair & (buckets - 1)) * BUCKET_WORDS;
      const tag = Math.imul(pair, 0x9e3779b1) >>> COUNT_BITS || NOT_EMPTY;
      const first = bucket + current;
      let least = first;
      let leastCount = MOST_COUNTED + 1;
      for (let at = first; at < first + WAYS; at++) {
        const cell = cells[at] ?? 0;
        const count = cell & MOST_COUNTED;
        if (cell >>> COUNT_BITS === tag) {
          if (count < MOST_COUNTED) cells[at] = cell + 1;
          return count + 1;
        }
        if (count >= leastCount) continue;
        least = at;
        leastCount = count;
      }
      cells[least] = (tag << COUNT_BITS) | 1;
      const before = bucket + (current ^ WAYS);
      for (let at = before; at < before + WAYS; at++)
        if ((cells[at] ?? 0) >>> COUNT_BITS === tag) return RETURNED;
      return 1;
    },
    turn() {
      current ^= WAYS;
      for (let first = current; first < cells.length; first += BUCKET_WORDS)
        for (let at = first; at < first + WAYS; at++) cells[at] = 0;
    },
    bytes: cells.byteLength,
  };
}
