/*
 * How many visitors a second an item usually has: an average in which what is ten minutes old counts half. It lags by a minute, so
 * that a rush is compared with the time before it: a visitor is added when he leaves the window of a minute.
 */
export type Baselines = {
  /** An item begins with what is known of it: visitors, as `past` gave them. */
  begin(item: number, visitors: number, second: number): void;
  /** Visitors who left the window of a minute at `second`. */
  add(item: number, visitors: number, second: number): void;
  /** The visitors of the past, older ones counted less. */
  past(item: number, second: number): number;
};

export const HALF_LIFE_SECONDS = 600;
export const LAG_SECONDS = 60;
/** Without a past: the prior of any item counts like a minute of its own past. */
export const PRIOR_SECONDS = 60;
/** Less than that says no more than what is expected of any item. */
const LEAST_REMEMBERED = 1;
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
      visitors[item] = past(item, second) + count;
      seconds[item] = second;
    },
    past,
  };

  function past(item: number, second: number): number {
    return decayed(visitors[item] ?? 0, second - (seconds[item] ?? 0));
  }
}

function decayed(visitors: number, seconds: number): number {
  return visitors * Math.exp(-DECAY * Math.max(0, seconds));
}

/**
 * What is usual for items by their names that have no place now: those that lost it, and those of before a restart. The ones that were
 * put first are forgotten first.
 */
export type Remembered = {
  put(item: string, visitors: number, second: number): void;
  /** Takes what is known of an item, 0 where nothing is. */
  take(item: string, second: number): number;
  all(second: number): { item: string; visitors: number }[];
};

export function createRemembered(items: number): Remembered {
  const known = new Map<string, { visitors: number; second: number }>();
  return {
    put(item, visitors, second) {
      if (visitors < LEAST_REMEMBERED) return;
      known.delete(item);
      known.set(item, { visitors, second });
      for (const oldest of known.keys()) {
        if (known.size <= items) break;
        known.delete(oldest);
      }
    },
    take(item, second) {
      const found = known.get(item);
      known.delete(item);
      return found === undefined ? 0 : decayed(found.visitors, second - found.second);
    },
    all: (second) =>
      [...known].map(([item, found]) => ({
        item,
        visitors: decayed(found.visitors, second - found.second),
      })),
  };
}

/** How many seconds the counted visitors cover, `seconds` after the first one was counted. */
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
