/**
 * Space-Saving (Metwally et al. 2005) with the counters in a heap: the smallest gives way to an item that has none, which inherits its
 * count. What the field uses for a whole stream, here beside what forgets.
 */
export type SpaceSaving = {
  add(item: number): void;
  /** The items with the highest counts. */
  top(count: number): number[];
};

export function createSpaceSaving(counters: number): SpaceSaving {
  const items = new Float64Array(counters);
  const counts = new Float64Array(counters);
  const placeOf = new Map<number, number>();
  let used = 0;
  return {
    add(item) {
      let place = placeOf.get(item);
      if (place === undefined && used < counters) place = used++;
      else if (place === undefined) {
        place = 0;
        placeOf.delete(items[0] ?? 0);
      }
      items[place] = item;
      counts[place] = (counts[place] ?? 0) + 1;
      placeOf.set(item, place);
      sink(place);
      if (counts[place] === 1) rise(place);
    },
    top(count) {
      const places = Array.from({ length: used }, (_, i) => i);
      places.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0));
      return places.slice(0, count).map((place) => items[place] ?? 0);
    },
  };

  function sink(from: number): void {
    for (let place = from; ; ) {
      let child = 2 * place + 1;
      if (child >= used) return;
      if (child + 1 < used && (counts[child + 1] ?? 0) < (counts[child] ?? 0)) child++;
      if ((counts[child] ?? 0) >= (counts[place] ?? 0)) return;
      swap(place, child);
      place = child;
    }
  }

  function rise(from: number): void {
    for (let place = from; place > 0; ) {
      const parent = (place - 1) >> 1;
      if ((counts[parent] ?? 0) <= (counts[place] ?? 0)) return;
      swap(place, parent);
      place = parent;
    }
  }

  function swap(a: number, b: number): void {
    const [itemA = 0, itemB = 0, countA = 0, countB = 0] = [items[a], items[b], counts[a], counts[b]];
    items[a] = itemB;
    items[b] = itemA;
    counts[a] = countB;
    counts[b] = countA;
    placeOf.set(itemB, a);
    placeOf.set(itemA, b);
  }
}
