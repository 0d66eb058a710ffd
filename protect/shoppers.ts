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

export type Shoppers = {
  /** Counts lines as nginx wrote them, each ended by a newline. */
  take(lines: Buffer): { lines: number; bad: number };
  /** Since the item is followed; undefined while no line has come. */
  of(item: string): ShopperCounts | undefined;
  /** Of all items, since the start; undefined while no line has come. */
  total(): ShopperCounts | undefined;
  /** Counts of other items are forgotten. */
  follow(items: ReadonlySet<string>): void;
};

export type ShoppersOptions = {
  /** Whether the page of an item that is shared now is older than it should be. */
  isStale: (item: string) => boolean;
  metrics: Metrics<typeof PROTECT_METRICS>;
};

const WRITTEN: ReadonlySet<string> = new Set(FATES.filter((fate) => fate !== 'stale'));

export function createShoppers({ isStale, metrics }: ShoppersOptions): Shoppers {
  const items = new Map<string, ShopperCounts | undefined>();
  let total: ShopperCounts | undefined;
  for (const page of FATES) metrics.of('protect_shoppers_total', { page });
  return {
    take(lines) {
      const counted = new Map<string, number>();
      for (const line of lines.toString('utf8').split('\n')) counted.set(line, (counted.get(line) ?? 0) + 1);
      counted.delete('');
      const taken = { lines: 0, bad: 0 };
      for (const [line, count] of counted) {
        taken.lines += count;
        if (!add(line, count)) taken.bad += count;
      }
      return taken;
    },
    of: (item) => items.get(item),
    total: () => total,
    follow(wanted) {
      for (const item of items.keys()) if (!wanted.has(item)) items.delete(item);
      for (const item of wanted) if (!items.has(item)) items.set(item, undefined);
    },
  };

  /** Returns false for what nginx does not write. */
  function add(line: string, count: number): boolean {
    const tab = line.indexOf('\t');
    const written = line.slice(0, Math.max(0, tab));
    if (!isWritten(written)) return false;
    const item = line.slice(tab + 1);
    const fate = written === 'shared' && isStale(item) ? 'stale' : written;
    metrics.of('protect_shoppers_total', { page: fate }).add(count);
    total = plus(total, fate, count);
    // Those of other items are in the total only: workers of nginx may write any name.
    if (items.has(item)) items.set(item, plus(items.get(item), fate, count));
    return true;
  }
}

function plus(counts: ShopperCounts | undefined, fate: Fate, count: number): ShopperCounts {
  const before = counts ?? { shared: 0, stale: 0, own: 0, missing: 0, unkept: 0 };
  return { ...before, [fate]: before[fate] + count };
}

function isWritten(text: string): text is Fate {
  return WRITTEN.has(text);
}
