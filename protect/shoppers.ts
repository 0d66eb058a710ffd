import type { Metrics } from '../service/metrics.ts';
import type { PROTECT_METRICS } from './metrics.ts';

/*
 * What nginx did with shoppers' requests for hot items. Only nginx knows, so it writes a line for each, `FATE\tITEM` (log-shared.conf). Many
 * lines are the same, so whole lines are counted.
 */

/** As in http-protect.conf; `stale` is a `shared` one of a page that is older than it should be, which nginx does not know. */
export const FATES = ['shared', 'stale', 'own', 'missing', 'unkept'] as const;
export type Fate = (typeof FATES)[number];
export type ShopperCounts = Record<Fate, number>;
/** Times in ms since 1970: when counting began, and of the last line. */
export type SeenShoppers = ShopperCounts & { since: number; at: number };

export type Shoppers = {
  /** Counts lines as nginx wrote them, each ended by a newline. */
  take(lines: Buffer): { lines: number; bad: number };
  /** Since the item is followed; undefined while no line has come. */
  of(item: string): SeenShoppers | undefined;
  /** Of all items, since the start; undefined while no line has come. */
  total(): SeenShoppers | undefined;
  /** Counts of other items are forgotten. */
  follow(items: ReadonlySet<string>): void;
};

export type ShoppersOptions = {
  /** Whether the page of an item that is shared now is older than it should be. */
  isStale: (item: string) => boolean;
  metrics: Metrics<typeof PROTECT_METRICS>;
  now: () => number;
};

/** As many items as the hot list may have, with each fate. */
const MOST_DIFFERENT = 4_000;

const WRITTEN: ReadonlySet<string> = new Set(FATES.filter((fate) => fate !== 'stale'));

export function createShoppers({ isStale, metrics, now }: ShoppersOptions): Shoppers {
  const items = new Map<string, SeenShoppers>();
  const total = begin();
  let meters: Record<Fate, { add(count: number): void }> | undefined;
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
    of: (item) => seen(items.get(item)),
    total: () => seen(total),
    follow(wanted) {
      for (const item of items.keys()) if (!wanted.has(item)) items.delete(item);
      for (const item of wanted) if (!items.has(item)) items.set(item, begin());
    },
  };

  function begin(): SeenShoppers {
    return { shared: 0, stale: 0, own: 0, missing: 0, unkept: 0, since: now(), at: 0 };
  }

  /** Returns false for what nginx does not write. */
  function add(line: string, count: number): boolean {
    const tab = line.indexOf('\t');
    const written = line.slice(0, Math.max(0, tab));
    if (!isWritten(written)) return false;
    const item = line.slice(tab + 1);
    const fate = written === 'shared' && isStale(item) ? 'stale' : written;
    meters ??= metersOf(metrics);
    meters[fate].add(count);
    const at = now();
    // Those of other items are in the total only: workers of nginx may write any name.
    for (const seen of [total, items.get(item)]) {
      if (seen === undefined) continue;
      seen[fate] += count;
      seen.at = at;
    }
    return true;
  }
}

function seen(counts: SeenShoppers | undefined): SeenShoppers | undefined {
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

/** Once nginx is known to log them: none of a kind is then a fact. */
function metersOf(metrics: Metrics<typeof PROTECT_METRICS>): Record<Fate, { add(count: number): void }> {
  const of = (page: Fate) => metrics.of('protect_shoppers_total', { page });
  return {
    shared: of('shared'),
    stale: of('stale'),
    own: of('own'),
    missing: of('missing'),
    unkept: of('unkept'),
  };
}

function isWritten(text: string): text is Fate {
  return WRITTEN.has(text);
}
