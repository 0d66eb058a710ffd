/*
 * Decides whether more people than usual want an item. Let V visitors come in a window in which μ were expected. If they were Poisson
 * distributed with mean μ, the probability of V or more would be at most e^-S with S = V·ln(V/μ) − (V − μ) (Chernoff bound). At S ≥ 25,
 * with 8,192 items checked every second in three windows, chance causes less than one false alarm a month.
 */

export type SurgeThresholds = {
  /** Minimum S of a surge. */
  surprise: number;
  /** Minimum number of visitors. */
  visitors: number;
  /** Minimum share of all visitors of the shop. */
  share: number;
  /** Minimum multiple of the expected number. */
  ratio: number;
};

export const SURGE: SurgeThresholds = { surprise: 25, visitors: 15, share: 0.005, ratio: 3 };

/** For one window. */
export type Crowd = {
  visitors: number;
  seconds: number;
  /** Visitors of the whole shop in the same window. */
  shopVisitors: number;
  /** The item's usual number of visitors per second. */
  baseline: number;
  /** How many times its usual number of visitors the shop has now, at least 1. */
  shopFactor: number;
  /** How many visitors an observed one represents: 1 if views are not sampled. */
  weight: number;
};

/** S of a window that meets the conditions; 0 otherwise. */
export function surgeOf(crowd: Crowd, thresholds: SurgeThresholds = SURGE): number {
  const { visitors, shopVisitors } = crowd;
  if (!isCrowd(visitors, shopVisitors, thresholds)) return 0;
  const expected = crowd.baseline * crowd.seconds * crowd.shopFactor;
  if (visitors < thresholds.ratio * expected) return 0;
  // With sampling, one observed visitor of ten is as surprising as one, not as ten.
  const found = surprise(visitors, expected) / crowd.weight;
  return found >= thresholds.surprise ? found : 0;
}

/** Whether this many visitors can be a surge at all. Cheap, and false for most items. */
export function isCrowd(
  visitors: number,
  shopVisitors: number,
  { visitors: least, share }: SurgeThresholds = SURGE,
): boolean {
  return visitors >= least && visitors >= share * shopVisitors;
}

/** How surprising `count` is where `expected` were; 0 if it is not higher. */
export function surprise(count: number, expected: number): number {
  return count <= expected ? 0 : count * Math.log(count / expected) - (count - expected);
}

/** A shop that opens has many times its visitors of before; above this ratio the past says little. */
const MOST_SHOP_FACTOR = 20;

/** How many times its usual number of visitors a shop has now. Both rates exclude the item in question. */
export function shopFactorOf(rate: number, baseline: number): number {
  return Math.min(MOST_SHOP_FACTOR, Math.max(1, rate / Math.max(baseline, Number.MIN_VALUE)));
}
