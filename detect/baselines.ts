/*
 * The baseline of an item: its usual number of visitors per second, an exponentially decaying average with a half-life of ten minutes. It
 * lags by a minute, so that a rush is compared with the time before it: a visitor is added when he leaves the one-minute window.
 */
export type Baselines = {
  /** Starts an item with the visitors known from before, as `past` returned them. */
  begin(item: number, visitors: number, second: number): void;
  /** Adds visitors who left the one-minute window at `second`. */
  add(item: number, visitors: number, second: number): void;
  /** Past visitors, decayed. */
  past(item: number, second: number): number;
};

const HALF_LIFE_SECONDS = 600;
const LAG_SECONDS = 60;
/** If an item has no past, the prior of any item counts like one minute of its own. */
const PRIOR_SECONDS = 60;
/** Fewer visitors carry no more information than the prior. */
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
 * Baselines of items that have no place now, by name: those that lost their place, and those from before a restart. The oldest entry is
 * dropped first.
 */
export type Remembered = {
  put(item: string, visitors: number, second: number): void;
  /** Removes and returns what is known of an item; 0 if nothing is. */
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

/** The number of seconds that the decayed count covers, `seconds` after the first visitor was counted. */
export function pastSeconds(seconds: number): number {
  return (1 - Math.exp(-DECAY * Math.max(1, seconds - LAG_SECONDS))) / DECAY;
}

/** Visitors per second. `prior`: the rate of any item, used while nothing is known about this one. */
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
