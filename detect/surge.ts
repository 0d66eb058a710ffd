/*
 * Whether more people than usual want an item. In a window of so many seconds V visitors came, and μ were to be expected. The chance of V
 * or more, were they a Poisson number of mean μ, is at most e^-S with S = V·ln(V/μ) − (V − μ) (Chernoff's bound). At S ≥ 25, with
 * 8,192 items looked at each second in three windows, less than one false alarm in a month is to be expected of chance.
 */

export type SurgeThresholds = {
  /** S from which it is a surge. */
  surprise: number;
  /** Visitors that it takes at least. */
  visitors: number;
  /** Of all visitors of the shop, at least. */
  share: number;
  /** Of what was to be expected, at least. */
  ratio: number;
};

export const SURGE: SurgeThresholds = { surprise: 25, visitors: 15, share: 0.005, ratio: 3 };

/** Of one window. */
export type Crowd = {
  visitors: number;
  seconds: number;
  /** Visitors of the whole shop in the same window. */
  shopVisitors: number;
  /** Visitors a second that the item usually has. */
  baseline: number;
  /** How many times its usual visitors the shop has now, at least 1. */
  shopFactor: number;
  /** How many visitors a seen one represents: 1 if views are not sampled. */
  weight: number;
};

/** S of a window that is a surge's; 0 for any other. */
export function surgeOf(crowd: Crowd, thresholds: SurgeThresholds = SURGE): number {
  const { visitors, shopVisitors } = crowd;
  if (!isCrowd(visitors, shopVisitors, thresholds)) return 0;
  const expected = crowd.baseline * crowd.seconds * crowd.shopFactor;
  if (visitors < thresholds.ratio * expected) return 0;
  // One in ten that is seen surprises as one does, and not as ten.
  const found = surprise(visitors, expected) / crowd.weight;
  return found >= thresholds.surprise ? found : 0;
}

/** Whether so many visitors may be a surge at all. Most items are done with by that. */
export function isCrowd(
  visitors: number,
  shopVisitors: number,
  { visitors: least, share }: SurgeThresholds = SURGE,
): boolean {
  return visitors >= least && visitors >= share * shopVisitors;
}

/** How surprising `count` is where `expected` were: 0 for no more than that. */
export function surprise(count: number, expected: number): number {
  return count <= expected ? 0 : count * Math.log(count / expected) - (count - expected);
}

/** A shop that is just opening is many times as busy as before; what it was before says little then. */
const MOST_SHOP_FACTOR = 20;

/** How many times its usual visitors a shop has now. Both rates without the item that is asked about. */
export function shopFactorOf(rate: number, baseline: number): number {
  return Math.min(MOST_SHOP_FACTOR, Math.max(1, rate / Math.max(baseline, Number.MIN_VALUE)));
}
