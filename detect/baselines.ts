/*
 * How many visitors a second an item usually has: an average in which what is ten minutes old counts half. It lags by a minute, so
 * that a rush is compared with the time before it: a visitor is added when he leaves the window of a minute.
 */
export type Baselines = {
  /** An item begins with what is known of it: visitors, as `stored` gave them. */
  begin(item: number, visitors: number, second: number): void;
  /** Visitors who left the window of a minute at `second`. */
  add(item: number, visitors: number, second: number): void;
  /** The visitors of the past, older ones counted less. */
  stored(item: number, second: number): number;
};

export const HALF_LIFE_SECONDS = 600;
export const LAG_SECONDS = 60;
/** Of no past at all: what is expected of any item stands for a minute of its own past. */
export const PRIOR_SECONDS = 60;
const DECAY = Math.LN2 / HALF_LIFE_SECONDS;

export function createBaselines(items: number): Baselines {
  const visitors = new Float64Array(items);
  const seconds = new Float64Array(items);
  return {
    begin(item, before, second) {
      visitors[item] = before;
      seconds[item] = second;
    },
    add(item, count, second) {
      visitors[item] = stored(item, second) + count;
      seconds[item] = second;
    },
    stored,
  };

  function stored(item: number, second: number): number {
    const passed = Math.max(0, second - (seconds[item] ?? 0));
    return (visitors[item] ?? 0) * Math.exp(-DECAY * passed);
  }
}

/** How many seconds the visitors of the past stand for, `seconds` after the first one was counted. */
export function pastSeconds(seconds: number): number {
  return (1 - Math.exp(-DECAY * Math.max(1, seconds - LAG_SECONDS))) / DECAY;
}

/** Visitors a second. `prior`: of any item, before anything is known of this one. */
export function baselineOf({
  visitors,
  past,
  prior,
}: {
  visitors: number;
  past: number;
  prior: number;
}): number {
  return (visitors + PRIOR_SECONDS * prior) / (past + PRIOR_SECONDS);
}
