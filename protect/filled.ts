import { isSame, type Place } from './targets.ts';

/**
 * Where nginx still has pages of an item, whether it is kept or not. The file of an item in the hot list is for all of its addresses: if it
 * is created for one, nginx shows the entries of others as well, even after such a page was refused.
 */
export type Filled = {
  /** nginx was told to store the page at this address. */
  note(item: string, place: Place): void;
  /** The address of the last page that was stored, if it is another than this, and nginx may still show that page. */
  elsewhere(item: string, place: Place): Place | undefined;
  /** All other addresses at which nginx may still show a page. */
  others(item: string, place: Place): Place[];
  /** Forgets what expired, but for these items. */
  retain(items: ReadonlySet<string>): void;
};

type One = { place: Place; until: number };

/** Addresses of an item. */
const MOST = 8;

export function createFilled({ staleMs, now }: { staleMs: number; now: () => number }): Filled {
  /** The latest first. */
  const filled = new Map<string, One[]>();
  return {
    note(item, place) {
      const others = of(item).filter((one) => !isSame(one.place, place) && !isOver(one));
      filled.set(item, [{ place, until: now() + staleMs }, ...others].slice(0, MOST));
    },
    elsewhere(item, place) {
      const [latest] = of(item);
      return latest === undefined || isSame(latest.place, place) || isOver(latest) ? undefined : latest.place;
    },
    others: (item, place) =>
      of(item).flatMap((one) => (isSame(one.place, place) || isOver(one) ? [] : one.place)),
    retain(items) {
      for (const [item, all] of filled) if (!items.has(item) && all.every(isOver)) filled.delete(item);
    },
  };

  function of(item: string): One[] {
    return filled.get(item) ?? [];
  }

  /** Also after the clock was set back. */
  function isOver({ until }: One): boolean {
    const leftMs = until - now();
    return leftMs <= 0 || leftMs > staleMs;
  }
}
