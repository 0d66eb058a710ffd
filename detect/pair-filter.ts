/*
 * Remembers which visitor saw which item, how often and when last, for ten to twenty seconds, in a fixed amount of memory. It is a table
 * of buckets of four cells for this period and four for the one before, beside each other; a cell is a tag of 20 bits, the second of 8
 * and a count of 4. A new pair takes the place of the one of its bucket that was seen least: a visitor who is forgotten by that counts
 * as new once more. Two pairs of one bucket share a tag once in a million times.
 */
export type PairFilter = {
  /**
   * A view of a pair, 32 scattered bits, in a second. Returns how often the pair was seen in this period, this time included, up to
   * `MOST_SEEN`: 1 for a newcomer, `RETURNED` for one that comes for the first time in this period and was seen in the one before.
   * Above `COUNT_BITS`: how many seconds ago it was seen last, 0 also for a newcomer, and for a view that is late.
   */
  see(pair: number, second: number): number;
  /** Begins the next period: what was seen in the period before this one is forgotten. */
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

/** `bits`: of the number of cells a period. 2 × 1 MB at 18, for 100,000 pairs in ten seconds. */
export function createPairFilter(bits = 18): PairFilter {
  const buckets = (1 << bits) / WAYS;
  const cells = new Int32Array(buckets * BUCKET_WORDS);
  /** Where in a bucket this period is. */
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
    turn() {
      current ^= WAYS;
      for (let first = current; first < cells.length; first += BUCKET_WORDS)
        for (let at = first; at < first + WAYS; at++) cells[at] = 0;
    },
    bytes: cells.byteLength,
  };

  function seeAgain(at: number, cell: number, count: number, second: number): number {
    const passed = (second - (cell >>> COUNT_BITS)) & SECONDS;
    // More than the half is a time to come: this view is late.
    const isLater = passed <= SECONDS >> 1;
    const seconds = isLater ? second & SECONDS : (cell >>> COUNT_BITS) & SECONDS;
    cells[at] = ((cell >>> TAG_SHIFT) << TAG_SHIFT) | (seconds << COUNT_BITS) | count;
    return isLater ? (passed << COUNT_BITS) | count : count;
  }
}
