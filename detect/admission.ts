import { cacheLines } from './cache-lines.ts';
import { LOW, ROW_BITS } from './views.ts';

/*
 * Decides which items have enough views to be tracked, among any number of items, in a fixed amount of memory.
 *
 * A hash table of buckets, each as long as a cache line (64 bytes): eight fingerprints and eight counts. Each bucket runs Misra and Gries'
 * "Finding repeated elements" (1982), with weights as in Anderson et al., "A high-performance algorithm for identifying frequent items in
 * data streams" (2017): an item that is not in its bucket subtracts its weight from the smallest count, and replaces that item when the
 * count reaches zero. A count is therefore never too high, and too low by at most a ninth of the views of its bucket. A sweep halves each
 * count once in ten seconds. An event allocates nothing and moves nothing.
 */
export type Admission = {
  /**
   * Counts views of an item, given as two words of 32 scattered bits. Returns its place among the tracked items; `NOT_TRACKED`; or, if its
   * count has reached `bar`, `RISES - cell`: at most `RISES`, which is below `NOT_TRACKED`. `visitor` and `stamp` are stored for the view
   * that brings an item into its bucket.
   */
  count(high: number, low: number, weight: number, bar: number, visitor: number, stamp: number): number;
  /** For the item whose count reached the bar in `cell`: its count, and what was stored for its first view. */
  counted(cell: number): number;
  firstVisitor(cell: number): number;
  firstStamp(cell: number): number;
  /**
   * Reads what `count` will need for the rows `first` to `end` of `Views`. The loop does so little that the processor fetches the memory of
   * dozens of them at the same time. The result has no meaning: V8 omits a read whose result is not used.
   */
  fetch(rows: Int32Array, first: number, end: number): number;
  /** Tracks the item whose count reached the bar in `cell`, at `place`. */
  track(cell: number, low: number, place: number): void;
  /** Stops tracking the item at `place`. */
  forget(place: number): void;
  /** Halves the counts of the next part of the buckets. `SWEEP_TICKS` calls cover all of them. */
  sweep(): void;
  bytes: number;
};

export const NOT_TRACKED = -1;
export const RISES = -2;
export const SWEEP_TICKS = 100;

const WAYS = 8;
const BUCKET_WORDS = 2 * WAYS;
/** If the sign bit of a count is set, the other bits are a place. */
const TRACKED = 0x80000000;
/** Limit, whatever the weights are. */
const MOST_COUNTED = 0x3fffffff;
/** Zero marks an empty cell. */
const NOT_EMPTY = 1;

/** `bits`: log2 of the number of buckets; 14 takes 1 MB. `places`: maximum number of tracked items. */
export function createAdmission(places: number, bits = 14): Admission {
  const buckets = 1 << bits;
  const words = cacheLines(buckets * BUCKET_WORDS);
  /** Visitor and stamp, outside the buckets: written when an item enters its bucket, read when it becomes tracked. */
  const firsts = new Int32Array(buckets * WAYS * 2);
  const lows = new Int32Array(places);
  const cells = new Int32Array(places);
  let sweeps = 0;
  return {
    count,
    counted: (cell) => words[cell + WAYS] ?? 0,
    firstVisitor: (cell) => firsts[firstOf(cell)] ?? 0,
    firstStamp: (cell) => firsts[firstOf(cell) + 1] ?? 0,
    fetch(rows, first, end) {
      const all = words;
      let read = 0;
      for (let row = first << ROW_BITS; row < end << ROW_BITS; row += 1 << ROW_BITS)
        read ^= all[((rows[row + LOW] ?? 0) & (buckets - 1)) * BUCKET_WORDS] ?? 0;
      return read;
    },
    track(cell, low, place) {
      lows[place] = low;
      cells[place] = cell;
      words[cell + WAYS] = place | TRACKED;
    },
    forget(place) {
      const cell = cells[place] ?? 0;
      words[cell] = 0;
      words[cell + WAYS] = 0;
    },
    sweep() {
      const first = Math.floor((buckets * sweeps) / SWEEP_TICKS);
      const end = Math.floor((buckets * (sweeps + 1)) / SWEEP_TICKS);
      for (let bucket = first; bucket < end; bucket++) halve(bucket * BUCKET_WORDS);
      sweeps = (sweeps + 1) % SWEEP_TICKS;
    },
    bytes: words.byteLength + firsts.byteLength + lows.byteLength + cells.byteLength,
  };

  function count(
    highBits: number,
    low: number,
    weight: number,
    bar: number,
    visitor: number,
    stamp: number,
  ): number {
    const high = highBits || NOT_EMPTY;
    const bucket = (low & (buckets - 1)) * BUCKET_WORDS;
    for (let cell = bucket; cell < bucket + WAYS; cell++) {
      if (words[cell] !== high) continue;
      const value = words[cell + WAYS] ?? 0;
      if (value >= 0) return raise(cell, value + weight, bar);
      if (lows[value & ~TRACKED] === low) return value & ~TRACKED;
    }
    let least = -1;
    let leastCount = 0x7fffffff;
    for (let cell = bucket; cell < bucket + WAYS; cell++) {
      const value = words[cell + WAYS] ?? 0;
      if (value < 0 || value >= leastCount) continue;
      least = cell;
      leastCount = value;
    }
    if (least === -1) return NOT_TRACKED;
    if (weight <= leastCount) {
      words[least + WAYS] = leastCount - weight;
      return NOT_TRACKED;
    }
    words[least] = high;
    const first = firstOf(least);
    firsts[first] = visitor;
    firsts[first + 1] = stamp;
    return raise(least, weight - leastCount, bar);
  }

  /** A bucket has one count per fingerprint. */
  function firstOf(cell: number): number {
    return (cell & -BUCKET_WORDS) | ((cell & (WAYS - 1)) << 1);
  }

  function raise(cell: number, value: number, bar: number): number {
    words[cell + WAYS] = Math.min(value, MOST_COUNTED);
    return value >= bar ? RISES - cell : NOT_TRACKED;
  }

  function halve(bucket: number): void {
    for (let cell = bucket; cell < bucket + WAYS; cell++) {
      const value = words[cell + WAYS] ?? 0;
      if (value <= 0) continue;
      words[cell + WAYS] = value >> 1;
      if (value === 1) words[cell] = 0;
    }
  }
}
