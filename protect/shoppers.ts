import type { Metrics } from '../service/metrics.ts';
import type { SHOPPER_METRICS } from './metrics.ts';
import { createTally, type Seen } from './tally.ts';

/*
 * What nginx did with shoppers' requests for hot items, and how they ended. Only nginx knows, so it writes a line for each,
 * `FATE\tITEM\tRESULT\tEND` (log-shared.conf): without a fate if neither the cache nor the origin answered, without a result if limit.conf did
 * not check it. Includes of an older version write `FATE\tITEM` or `FATE\tITEM\tRESULT`, of fewer requests. Many lines are the same, so whole
 * lines are counted.
 */

/** As in http-protect.conf; `stale` is a `shared` one of a page that is older than it should be, which nginx does not know. */
const NO_PAGES = { shared: 0, stale: 0, own: 0, missing: 0, unkept: 0 };
export type Fate = keyof typeof NO_PAGES;
export type ShopperCounts = Record<Fate, number>;
export type SeenShoppers = Seen<Fate>;

/** As in http-protect.conf. `wouldLimit`: passed, because limit.conf is a dry run. */
const NO_LIMIT = { passed: 0, limited: 0, wouldLimit: 0 };
/** Requests that limit.conf checked. */
export type SeenLimit = Seen<keyof typeof NO_LIMIT>;

/** As in http-protect.conf. All but `ok` are dead ends. */
const NO_ENDS = { ok: 0, notFound: 0, rejected: 0, error: 0, left: 0 };
export type EndCounts = Record<keyof typeof NO_ENDS, number>;
/** All requests. */
export type SeenEnds = Seen<keyof typeof NO_ENDS>;

/** Each is absent while nginx has written none of its kind. */
export type SeenRequests = { shoppers?: SeenShoppers; limit?: SeenLimit; ends?: SeenEnds };

export type Shoppers = {
  /** Counts lines as nginx wrote them, each ended by a newline. */
  take(lines: Buffer): { lines: number; bad: number };
  /** Since the item is followed. */
  of(item: string): SeenRequests;
  /** Of all items, since the start. */
  total(): SeenRequests;
  /** Counts of other items are forgotten. */
  follow(items: ReadonlySet<string>): void;
};

export type ShoppersOptions = {
  /** Whether the page of an item that is shared now is older than it should be. */
  isStale: (item: string) => boolean;
  metrics: Metrics<typeof SHOPPER_METRICS>;
  now: () => number;
};

/** More than nginx can write of the items that the hot list may have, in what is read at once. */
const MOST_DIFFERENT = 20_000;

export function createShoppers({ isStale, metrics, now }: ShoppersOptions): Shoppers {
  const pages = createTally({
    none: NO_PAGES,
    meterOf: (page) => metrics.of('protect_shoppers_total', { page }),
    now,
  });
  const limit = createTally({
    none: NO_LIMIT,
    meterOf: (result) => metrics.of('protect_limit_total', { result }),
    now,
  });
  const ends = createTally({
    none: NO_ENDS,
    meterOf: (end) => metrics.of('protect_ends_total', { end }),
    now,
  });
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
    of: (item) => seen(pages.of(item), limit.of(item), ends.of(item)),
    total: () => seen(pages.total(), limit.total(), ends.total()),
    follow(wanted) {
      for (const tally of [pages, limit, ends]) tally.follow(wanted);
    },
  };

  /** Returns false for what nginx does not write. */
  function add(line: string, count: number): boolean {
    const [page = '', item, result, end, ...more] = line.split('\t');
    if (item === undefined || more.length > 0) return false;
    const written = page === 'stale' ? undefined : pages.fieldOf(page);
    const checked = result === undefined ? undefined : limit.fieldOf(result);
    const ended = end === undefined ? undefined : ends.fieldOf(end);
    // The last word is never missing; those before it may be.
    if ((end === undefined ? (result === undefined ? written : checked) : ended) === undefined) return false;
    if (page !== '' && written === undefined) return false;
    if (result !== undefined && result !== '' && checked === undefined) return false;
    if (written !== undefined) {
      const isLate = written === 'shared' && isStale(item);
      pages.add(isLate ? 'stale' : written, count, item);
    }
    if (checked !== undefined) limit.add(checked, count, item);
    if (ended !== undefined) ends.add(ended, count, item);
    return true;
  }
}

function seen(
  shoppers: SeenShoppers | undefined,
  limit: SeenLimit | undefined,
  ends: SeenEnds | undefined,
): SeenRequests {
  return { ...(shoppers && { shoppers }), ...(limit && { limit }), ...(ends && { ends }) };
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
