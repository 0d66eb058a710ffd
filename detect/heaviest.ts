/*
 * Who views an item the most, where a few visitors make many views: Space-Saving (Metwally et al., "Efficient computation of frequent
 * and top-k elements in data streams", 2005) with a few counters for each of a few items, for this period of ten seconds and the one
 * before. The count is what the visitor made at least.
 */
export type Heaviest = {
  /** Keeps the visitors of this item from now on. */
  watch(place: number): void;
  isWatched(place: number): boolean;
  /** A view by a visitor, if the item is watched. */
  add(place: number, visitor: number, weight: number): void;
  /** Begins the next period; items for which `keeps` is false are not watched any more. */
  turn(keeps: (place: number) => boolean): void;
  forget(place: number): void;
  /** The most views first: in the last whole period, or in this one where there is none. */
  of(place: number): HeavyVisitor[];
};

/** `visitor`: the word that `observe` was given. */
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
  /** What of a count may be somebody else's. */
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
