/*
 * By which address shoppers ask for an item. The keeper asks for the very same, so it is taken from their requests, and checked: it is
 * hostile. The host is one of the configured list.
 */

/** One address of a page: the host as it is configured, and the path and query as clients write it. */
export type Place = { host: string; target: string };

export type Targets = {
  /** These items are of interest; what is known of others is forgotten. */
  follow(items: ReadonlySet<string>): void;
  /** Whether requests for any item are still looked at, and for one. */
  wantsAny(): boolean;
  isWanted(item: string): boolean;
  /** Records a request for the item: its host, and its path and query. */
  saw(item: string, host: string, target: string): void;
  /** The address of most requests; undefined until one is known. */
  of(item: string): Place | undefined;
  /** Whether requests were seen, whatever their address. */
  wasSeen(item: string): boolean;
  /** Looks at requests again: shoppers may come by another address by now. */
  lookAgain(item: string): void;
  /** The page at this address must not be shared: looks again, also for one by which fewer come. */
  refuse(item: string, place: Place): void;
};

/** Requests of an item that are looked at before one address is chosen. */
const ENOUGH = 16;
/** Different addresses of an item that are told apart. */
const MOST_TARGETS = 8;
/** Who has less than so many times the views of others cannot hold an item at an address that is refused. */
const HOLDS = 4;
const LONGEST = 2_048;
/** What a client may write, and nothing that ends a line or a request. */
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/;

type Counted = { place: Place; count: number };
type Known = {
  /** Of the requests that are looked at now. */
  seen: number;
  counts: Map<string, Counted>;
  chosen?: Place;
  /** The key of an address whose page must not be shared: until the next choice, others come before it. */
  refused?: string;
  /** Enough were seen once. */
  isSettled: boolean;
};

export function createTargets(hosts: readonly string[]): Targets {
  const items = new Map<string, Known>();
  const configured = new Map(hosts.toReversed().map((host) => [nameOf(host), host]));
  /** Items of which not enough was seen. */
  let wanting = 0;
  return {
    follow(wanted) {
      for (const item of items.keys()) if (!wanted.has(item)) items.delete(item);
      for (const item of wanted) {
        if (!items.has(item)) items.set(item, { seen: 0, counts: new Map(), isSettled: false });
      }
      wanting = [...items.values()].filter(({ seen }) => seen < ENOUGH).length;
    },
    wantsAny: () => wanting > 0,
    isWanted(item) {
      const known = items.get(item);
      return known !== undefined && known.seen < ENOUGH;
    },
    saw(item, name, target) {
      const known = items.get(item);
      if (known === undefined || known.seen >= ENOUGH) return;
      known.seen++;
      const host = configured.get(nameOf(name));
      if (host !== undefined && isTarget(target)) count(known, { host, target });
      const isEnough = known.seen === ENOUGH;
      if (!known.isSettled || isEnough) choose(known);
      if (!isEnough) return;
      known.counts.clear();
      if (known.chosen === undefined) {
        // Whoever sends other hosts' names first must not keep the shop's own from being seen.
        known.seen = 1;
        return;
      }
      wanting--;
      known.isSettled = true;
      delete known.refused;
    },
    of: (item) => items.get(item)?.chosen,
    wasSeen(item) {
      const known = items.get(item);
      return known !== undefined && (known.isSettled || known.seen > 0);
    },
    lookAgain,
    refuse(item, place) {
      const known = items.get(item);
      if (known !== undefined) known.refused = keyOf(place);
      lookAgain(item);
    },
  };

  function lookAgain(item: string): void {
    const known = items.get(item);
    if (known === undefined || known.seen < ENOUGH) return;
    known.seen = 0;
    wanting++;
  }
}

function count({ counts }: Known, place: Place): void {
  const key = keyOf(place);
  const before = counts.get(key);
  if (before === undefined && counts.size === MOST_TARGETS) return;
  counts.set(key, { place, count: (before?.count ?? 0) + 1 });
}

/** An address that was settled is left only for one by which twice as many come: each is asked for as a new page. */
function choose(known: Known): void {
  const { counts, chosen, isSettled, refused } = known;
  const bad = refused === undefined ? undefined : counts.get(refused);
  const others = [...counts.values()].filter((one) => one !== bad);
  const best = bestOf(others.filter(({ count }) => HOLDS * count >= (bad?.count ?? 0))) ?? bad;
  if (best === undefined) return;
  const isRefused = chosen !== undefined && keyOf(chosen) === refused;
  const same = isSettled && !isRefused && chosen !== undefined ? counts.get(keyOf(chosen)) : undefined;
  const isKept = same !== undefined && isBare(same) === isBare(best) && 2 * same.count > best.count;
  if (!isKept) known.chosen = best.place;
}

function bestOf(all: Counted[]): Counted | undefined {
  const [first, ...rest] = all;
  return first && rest.reduce((most, one) => (isBetter(one, most) ? one : most), first);
}

/** A place without a query is better: a query is mostly for advertising, and differs from request to request. */
function isBetter(one: Counted, other: Counted): boolean {
  return isBare(one) === isBare(other) ? one.count > other.count : isBare(one);
}

function isBare({ place }: Counted): boolean {
  return !place.target.includes('?');
}

export function isSame(a: Place | undefined, b: Place): boolean {
  return a?.host === b.host && a.target === b.target;
}

function keyOf({ host, target }: Place): string {
  return `${host} ${target}`;
}

function isTarget(target: string): boolean {
  return target.length <= LONGEST && TARGET.test(target) && !target.startsWith('//');
}

/** As nginx's `$host` has it: in lower case, without a port. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
