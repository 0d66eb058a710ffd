import type { Meter, Metrics } from '../service/metrics.ts';
import type { SHOPPER_METRICS } from './metrics.ts';

/*
 * What nginx did with shoppers' requests for hot items. Only nginx knows, so it writes a line for each, `FATE\tITEM` (log-shared.conf), and
 * `FATE\tITEM\tRESULT` for one that limit.conf checked; then without a fate if neither the cache nor the origin answered. Many lines are the
 * same, so whole lines are counted.
 */

/** As in http-protect.conf; `stale` is a `shared` one of a page that is older than it should be, which nginx does not know. */
export const FATES = ['shared', 'stale', 'own', 'missing', 'unkept'] as const;
export type Fate = (typeof FATES)[number];
export type ShopperCounts = Record<Fate, number>;
/** Times in ms since 1970: when counting began, and of the last line. */
export type SeenShoppers = ShopperCounts & { since: number; at: number };

/** As in http-protect.conf. `would_limit`: passed, because limit.conf is a dry run. */
export const LIMIT_RESULTS = ['passed', 'limited', 'would_limit'] as const;
type LimitResult = (typeof LIMIT_RESULTS)[number];
/** Requests that limit.conf checked. Times as above. */
export type SeenLimit = { passed: number; limited: number; wouldLimit: number; since: number; at: number };

export type Shoppers = {
  /** Counts lines as nginx wrote them, each ended by a newline. */
  take(lines: Buffer): { lines: number; bad: number };
  /** Since the item is followed; undefined while no line has come. */
  of(item: string): SeenShoppers | undefined;
  /** Of all items, since the start; undefined while no line has come. */
  total(): SeenShoppers | undefined;
  /** The same of requests that limit.conf checked; undefined while it has checked none. */
  limitOf(item: string): SeenLimit | undefined;
  limitTotal(): SeenLimit | undefined;
  /** Counts of other items are forgotten. */
  follow(items: ReadonlySet<string>): void;
};

export type ShoppersOptions = {
  /** Whether the page of an item that is shared now is older than it should be. */
  isStale: (item: string) => boolean;
  metrics: Metrics<typeof SHOPPER_METRICS>;
  now: () => number;
};

/** As many items as the hot list may have, with each fate and each result. */
const MOST_DIFFERENT = 20_000;

const WRITTEN: ReadonlySet<string> = new Set(FATES.filter((fate) => fate !== 'stale'));
const RESULTS: ReadonlySet<string> = new Set(LIMIT_RESULTS);
const FIELDS: Record<LimitResult, 'passed' | 'limited' | 'wouldLimit'> = {
  passed: 'passed',
  limited: 'limited',
  would_limit: 'wouldLimit',
};

type Counts = { pages: SeenShoppers; limit: SeenLimit };

export function createShoppers({ isStale, metrics, now }: ShoppersOptions): Shoppers {
  const items = new Map<string, Counts>();
  const total = begin();
  let pageMeters: ReadonlyMap<string, Meter> | undefined;
  let limitMeters: ReadonlyMap<string, Meter> | undefined;
  return {
    take(lines) {
      const all = lines.toString('utf8').split('\n').filter(Boolean);
      const counted = countEach(all);
      // nginx writes of hot items only: this is another's, and not worth the work.
      if (counted === undefined) return { lines: all.length, bad: all.length };
      let bad = 0;
      for (const [line, count] of counted) if (!add(line, count)) bad += count;
      return { lines: all.length, bad };
    },
    of: (item) => seen(items.get(item)?.pages),
    total: () => seen(total.pages),
    limitOf: (item) => seen(items.get(item)?.limit),
    limitTotal: () => seen(total.limit),
    follow(wanted) {
      for (const item of items.keys()) if (!wanted.has(item)) items.delete(item);
      for (const item of wanted) if (!items.has(item)) items.set(item, begin());
    },
  };

  function begin(): Counts {
    const times = { since: now(), at: 0 };
    return {
      pages: { shared: 0, stale: 0, own: 0, missing: 0, unkept: 0, ...times },
      limit: { passed: 0, limited: 0, wouldLimit: 0, ...times },
    };
  }

  /** Returns false for what nginx does not write. */
  function add(line: string, count: number): boolean {
    const [fate = '', item, result, ...more] = line.split('\t');
    if (item === undefined || more.length > 0) return false;
    if (result !== undefined && !isResult(result)) return false;
    if (fate === '' ? result === undefined : !isWritten(fate)) return false;
    // Those of other items are in the total only: workers of nginx may write any name.
    const followed = items.get(item);
    const counts = followed === undefined ? [total] : [total, followed];
    if (isWritten(fate)) addPage(fate === 'shared' && isStale(item) ? 'stale' : fate, count, counts);
    if (result !== undefined) addLimit(result, count, counts);
    return true;
  }

  function addPage(fate: Fate, count: number, to: Counts[]): void {
    pageMeters ??= metersOf(FATES, (page) => metrics.of('protect_shoppers_total', { page }));
    pageMeters.get(fate)?.add(count);
    for (const { pages } of to) {
      pages[fate] += count;
      pages.at = now();
    }
  }

  function addLimit(result: LimitResult, count: number, to: Counts[]): void {
    limitMeters ??= metersOf(LIMIT_RESULTS, (result) => metrics.of('protect_limit_total', { result }));
    limitMeters.get(result)?.add(count);
    for (const { limit } of to) {
      limit[FIELDS[result]] += count;
      limit.at = now();
    }
  }
}

function seen<S extends { at: number }>(counts: S | undefined): S | undefined {
  return counts === undefined || counts.at === 0 ? undefined : { ...counts };
}

/** Undefined if there are more different lines than nginx can have written. */
function countEach(lines: readonly string[]): Map<string, number> | undefined {
  const counted = new Map<string, number>();
  for (const line of lines) {
    counted.set(line, (counted.get(line) ?? 0) + 1);
    if (counted.size > MOST_DIFFERENT) return undefined;
  }
  return counted;
}

/** All of them, once nginx is known to log some: none of a kind is then a fact. */
function metersOf(names: readonly string[], of: (name: string) => Meter): ReadonlyMap<string, Meter> {
  return new Map(names.map((name) => [name, of(name)]));
}

function isWritten(text: string): text is Fate {
  return WRITTEN.has(text);
}

function isResult(text: string): text is LimitResult {
  return RESULTS.has(text);
}
