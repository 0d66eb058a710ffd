import type { Baseline } from './items.ts';

/** Plain values: what is usual, to be kept over a restart. */
export type HeatState = {
  /** ms since 1970. */
  at: number;
  /** For how long it was learnt. */
  seconds: number;
  /** Different items that were viewed. */
  itemsSeen: number;
  /** Visitors of the whole shop. */
  shop: number;
  items: Baseline[];
};

const USABLE_FOR_MS = 3_600_000;

/** What was learnt is of use for an hour, and where the clock did not go back behind it; else nothing is known. */
export function usable(stored: HeatState | undefined, now: number): Omit<HeatState, 'at'> {
  const age = now - (stored?.at ?? Number.NEGATIVE_INFINITY);
  if (stored !== undefined && age >= 0 && age < USABLE_FOR_MS) return stored;
  return { seconds: 0, itemsSeen: 1, shop: 0, items: [] };
}
