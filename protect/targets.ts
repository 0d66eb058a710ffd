/*
 * By which address shoppers ask for an item. The keeper asks for the very same, so it is taken from their requests, and checked: it is
 * hostile.
 */

export type Targets = {
  /** These items are of interest; what is known of others is forgotten. */
  follow(items: ReadonlySet<string>): void;
  /** Whether requests for any item are still looked at, and for one. */
  wantsAny(): boolean;
  isWanted(item: string): boolean;
  /** Somebody asked for the item by this path and query. */
  saw(item: string, target: string): void;
  /** The address of most requests; undefined until one is known. */
  of(item: string): string | undefined;
};

/** Requests of an item that are looked at before one address is chosen. */
const ENOUGH = 16;
/** Different addresses of an item that are told apart. */
const MOST_TARGETS = 8;
const LONGEST = 2_048;
/** What a client may write, and nothing that ends a line or a request. */
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/;

type Known = { seen: number; counts: Map<string, number>; chosen?: string };

export function createTargets(): Targets {
  const items = new Map<string, Known>();
  /** Items of which not enough was seen. */
  let wanting = 0;
  return {
    follow(wanted) {
      for (const item of items.keys()) if (!wanted.has(item)) items.delete(item);
      for (const item of wanted) if (!items.has(item)) items.set(item, { seen: 0, counts: new Map() });
      wanting = [...items.values()].filter(({ seen }) => seen < ENOUGH).length;
    },
    wantsAny: () => wanting > 0,
    isWanted(item) {
      const known = items.get(item);
      return known !== undefined && known.seen < ENOUGH;
    },
    saw(item, target) {
      const known = items.get(item);
      if (known === undefined || known.seen >= ENOUGH) return;
      if (++known.seen === ENOUGH) wanting--;
      if (target.length > LONGEST || !TARGET.test(target) || target.startsWith('//')) return;
      const before = known.counts.get(target);
      if (before === undefined && known.counts.size === MOST_TARGETS) return;
      known.counts.set(target, (before ?? 0) + 1);
      known.chosen = mostOf(known.counts);
    },
    of: (item) => items.get(item)?.chosen,
  };
}

/** One without a query comes first: a query is most often of advertising, and each such request is another one. */
function mostOf(counts: Map<string, number>): string {
  const rank = ([target, count]: [string, number]) => count + (target.includes('?') ? 0 : ENOUGH);
  return [...counts].reduce((best, one) => (rank(one) > rank(best) ? one : best))[0];
}
