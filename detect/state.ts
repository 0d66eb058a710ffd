import type { Baseline } from './items.ts';

/** Baselines as plain values, to be stored for a restart. */
export type HeatState = {
  /** ms since 1970. */
  at: number;
  /** How long they were measured. */
  seconds: number;
  /** Distinct items that were viewed. */
  itemsSeen: number;
  /** Visitors of the whole shop. */
  shop: number;
  items: Baseline[];
};

const USABLE_FOR_MS = 3_600_000;

/** Stored baselines are used for an hour, and only if the clock was not set back behind them. */
export function usable(stored: HeatState | undefined, now: number): Omit<HeatState, 'at'> {
  const age = now - (stored?.at ?? Number.NEGATIVE_INFINITY);
  if (stored !== undefined && age >= 0 && age < USABLE_FOR_MS) return stored;
  return { seconds: 0, itemsSeen: 1, shop: 0, items: [] };
}
