/*
 * The places of the tracked items. When nearly all are taken, the coldest items leave, some at a time, and the bar rises to their number of
 * views: a new item needs more views than those that left.
 */
export type Tracked = {
  /** A free place, or -1. */
  take(tick: number): number;
  leave(place: number): void;
  /** The tick at which the item became tracked. */
  since(place: number): number;
  /** The number of views an item needs to be tracked. */
  bar(): number;
  /**
   * Frees places when few are left: calls `fall` for the coldest, which must call `leave`. `heatOf`: views in the last ten seconds.
   * `mayLeave`: false for hot items.
   */
  makeRoom(tick: number, heatOf: (place: number) => number, fall: (place: number) => void): void;
  /** The clock was set back to `tick`: all items count as having arrived then. */
  startAgain(tick: number): void;
  count(): number;
  /** The place at `index` among those taken, in no order. */
  at(index: number): number;
};

export type TrackedOptions = {
  places: number;
  /** The number of views to be tracked while there is room. */
  views: number;
  /** Hot items do not leave. */
  mayLeave: (place: number) => boolean;
};

/** The part of the places that is kept free for a rush. */
const KEPT_FREE = 1 / 16;
const LOOKED_AT = 256;
/** The coldest eighth of these. */
const COLDEST = 8;
/** Limits the work of one tick. */
const LEAVE_A_TICK = 48;
/** No item leaves in its first two seconds, because little is known about it. */
const SETTLED_TICKS = 20;
const BAR_FALLS = 0.95;
const BAR_RISES = 1.05;
const HIGHEST_BAR = 1_000_000;

export function createTracked({ places, views, mayLeave }: TrackedOptions): Tracked {
  const free = Int32Array.from({ length: places }, (_, i) => places - 1 - i);
  const used = new Int32Array(places);
  const indexOf = new Int32Array(places);
  const born = new Int32Array(places);
  const wanted = Math.ceil(places * KEPT_FREE);
  let freeCount = places;
  let count = 0;
  /** Where the search for cold items was last. */
  let hand = 0;
  let bar = views;
  return {
    take(tick) {
      if (freeCount === 0) return -1;
      const place = free[--freeCount] ?? 0;
      born[place] = tick;
      indexOf[place] = count;
      used[count++] = place;
      return place;
    },
    leave(place) {
      const last = used[--count] ?? 0;
      const index = indexOf[place] ?? 0;
      used[index] = last;
      indexOf[last] = index;
      free[freeCount++] = place;
    },
    since: (place) => born[place] ?? 0,
    bar: () => bar,
    makeRoom(tick, heatOf, fall) {
      if (freeCount >= wanted) {
        bar = Math.max(views, bar * BAR_FALLS);
        return;
      }
      const cold = coldOf(heatOf);
      // Raises the bar until fewer items arrive than leave, so that a place is free for an item far above it.
      bar = Math.min(HIGHEST_BAR, Math.max(bar * BAR_RISES, cold + 2));
      let left = LEAVE_A_TICK;
      // It continues where it ended: what it has just passed over is as warm as before.
      for (let looks = count; looks > 0 && left > 0 && freeCount < 2 * wanted; looks--) {
        hand = (hand === 0 ? count : Math.min(hand, count)) - 1;
        const place = used[hand] ?? 0;
        // The most expensive condition comes last: thousands may have arrived just now.
        if (tick - (born[place] ?? 0) <= SETTLED_TICKS || !mayLeave(place) || heatOf(place) > cold) continue;
        fall(place);
        left--;
      }
    },
    startAgain: (tick) => void born.fill(tick),
    count: () => count,
    at: (index) => used[index] ?? 0,
  };

  /** The highest number of views in the coldest eighth, by a sample. */
  function coldOf(heatOf: (place: number) => number): number {
    const looked = Math.min(LOOKED_AT, count);
    const heats = Float64Array.from({ length: looked }, (_, i) =>
      heatOf(used[Math.floor((i * count) / looked)] ?? 0),
    );
    return heats.sort()[Math.floor(looked / COLDEST)] ?? 0;
  }
}
