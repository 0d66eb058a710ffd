/*
 * Remembers which visitor saw which item, for ten to twenty seconds, in a fixed amount of memory. It is a table of buckets of four
 * cells, each a tag of 24 bits and a count of 8. A new pair takes the place of the one of its bucket that was seen least: a
 * visitor who is forgotten by that counts as new once more. Two pairs of one bucket share a tag once in 16 million times.
 */
export type PairFilter = {
  /**
   * How often the pair was seen in this period, this time included; what was seen in the period before counts as once. `pair`: 32
   * scattered bits.
   */
  count(pair: number): number;
  /** Begins the next period: what was seen in the period before this one is forgotten. */
  turn(): void;
  bytes: number;
};

const WAYS = 4;
const COUNT_BITS = 8;
const MOST_COUNTED = (1 << COUNT_BITS) - 1;
/** Zero marks an empty cell. */
const NOT_EMPTY = 1;

/** `bits`: of the number of cells a period. 2 × 1 MB at 18, for 100,000 pairs in ten seconds. */
export function createPairFilter(bits = 18): PairFilter {
  const cells = 1 << bits;
  let current = new Uint32Array(cells);
  let previous = new Uint32Array(cells);
  return {
    count(pair) {
      const bucket = pair & (cells - 1) & ~(WAYS - 1);
      const tag = Math.imul(pair, 0x9e3779b1) >>> COUNT_BITS || NOT_EMPTY;
      let least = bucket;
      let leastCount = MOST_COUNTED + 1;
      for (let at = bucket; at < bucket + WAYS; at++) {
        const cell = current[at] ?? 0;
        const count = cell & MOST_COUNTED;
        if (cell >>> COUNT_BITS === tag) {
          if (count < MOST_COUNTED) current[at] = cell + 1;
          return count + 1;
        }
        if (count >= leastCount) continue;
        least = at;
        leastCount = count;
      }
      const count = wasSeen(bucket, tag) ? 2 : 1;
      current[least] = ((tag << COUNT_BITS) | count) >>> 0;
      return count;
    },
    turn() {
      const forgotten = previous;
      previous = current;
      current = forgotten;
      current.fill(0);
    },
    bytes: 2 * current.byteLength,
  };

  function wasSeen(bucket: number, tag: number): boolean {
    for (let at = bucket; at < bucket + WAYS; at++)
      if ((previous[at] ?? 0) >>> COUNT_BITS === tag) return true;
    return false;
  }
}
