import { isSame, type Place } from './targets.ts';

/**
 * Where nginx still has a page of an item, whether it is kept or not. The file of an item in the hot list is for all of its addresses: if it
 * is created for one, nginx shows the entry of another as well, also one that was refused since.
 */
export type Filled = {
  /** nginx was told to store the page at this address. */
  note(item: string, place: Place): void;
  /** The address, if it is another than this, at which nginx may still show the page. */
  elsewhere(item: string, place: Place): Place | undefined;
  /** Forgets what expired, but for these items. */
  retain(items: ReadonlySet<string>): void;
};

export function createFilled({ staleMs, now }: { staleMs: number; now: () => number }): Filled {
  const latest = new Map<string, { place: Place; until: number }>();
  return {
    note: (item, place) => latest.set(item, { place, until: now() + staleMs }),
    elsewhere(item, place) {
      const filled = latest.get(item);
      return filled === undefined || isSame(filled.place, place) || isOver(filled) ? undefined : filled.place;
    },
    retain(items) {
      for (const [item, filled] of latest) if (!items.has(item) && isOver(filled)) latest.delete(item);
    },
  };

  /** Also after the clock was set back. */
  function isOver({ until }: { until: number }): boolean {
    const leftMs = until - now();
    return leftMs <= 0 || leftMs > staleMs;
  }
}
