/*
 * Finds the visitors with the most views of an item, if few visitors make many views: Space-Saving (Metwally et al., "Efficient computation
 * of frequent and top-k elements in data streams", 2005), with a few counters for each of a few items, for the current period of ten
 * seconds and the previous one. A count is a lower bound.
 */
export type Heaviest = {
  /** Starts to watch the visitors of this item. */
  watch(place: number): void;
  isWatched(place: number): boolean;
  /** Counts a view by a visitor, if the item is watched. */
  add(place: number, visitor: number, weight: number): void;
  /** Begins the next period. Items for which `keeps` returns false are no longer watched. */
  turn(keeps: (place: number) => boolean): void;
  forget(place: number): void;
  /** In descending order of views: from the last complete period, or from the current one if there is none. */
  of(place: number): HeavyVisitor[];
};

/** `visitor`: the word passed to `observe`. */
export type HeavyVisitor = { visitor: number; views: number };

const WATCHED = 32;
const COUNTERS = 16;
const SHOWN = 5;
const NONE = -1;

export function createHeaviest(places: number): Heaviest {
  const watchOf = new Int8Array(places).fill(NONE);
  const placeOf = new Int32Array(WATCHED).fill(NONE);
  const current = new Array<Counters>(WATCHED);
  const before = new Array<Counters>(WATCHED);
  return {
    watch(place) {
      const watch = placeOf.indexOf(NONE);
      if (watch === NONE || watchOf[place] !== NONE) return;
      watchOf[place] = watch;
      placeOf[watch] = place;
      current[watch] = createCounters();
      before[watch] = createCounters();
    },
    isWatched: (place) => watchOf[place] !== NONE,
    add(place, visitor, weight) {
      const watch = watchOf[place] ?? NONE;
      if (watch !== NONE) current[watch]?.add(visitor, weight);
    },
    turn(keeps) {
      for (const [watch, place] of placeOf.entries()) {
        if (place === NONE) continue;
        if (!keeps(place)) forget(place);
        before[watch] = current[watch] ?? createCounters();
        current[watch] = createCounters();
      }
    },
    forget,
    of(place) {
      const watch = watchOf[place] ?? NONE;
      const last = before[watch]?.heaviest() ?? [];
      return last.length > 0 ? last : (current[watch]?.heaviest() ?? []);
    },
  };

  function forget(place: number): void {
    const watch = watchOf[place] ?? NONE;
    if (watch === NONE) return;
    watchOf[place] = NONE;
    placeOf[watch] = NONE;
  }
}

type Counters = { add(visitor: number, weight: number): void; heaviest(): HeavyVisitor[] };

function createCounters(): Counters {
  const visitors = new Int32Array(COUNTERS);
  const counts = new Int32Array(COUNTERS);
  /** The part of a count that may belong to other visitors. */
  const foreign = new Int32Array(COUNTERS);
  return {
    add(visitor, weight) {
      let least = 0;
      for (let i = 0; i < COUNTERS; i++) {
        const count = counts[i] ?? 0;
        if (visitors[i] === visitor && count > 0) {
          counts[i] = count + weight;
          return;
        }
        if (count < (counts[least] ?? 0)) least = i;
      }
      visitors[least] = visitor;
      foreign[least] = counts[least] ?? 0;
      counts[least] = (counts[least] ?? 0) + weight;
    },
    heaviest: () =>
      Array.from(visitors, (visitor, i) => ({ visitor, views: (counts[i] ?? 0) - (foreign[i] ?? 0) }))
        .filter(({ views }) => views > 0)
        .sort((a, b) => b.views - a.views)
        .slice(0, SHOWN),
  };
}
