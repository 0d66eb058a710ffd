import { IS_BOT, ROW_BITS, type Views, WEIGHT } from '../detect/views.ts';

/**
 * Counts views of all items in ten full seconds, by their own time: what a spill file brings after an outage is no load of now. The last full
 * second does not count yet, because some of its views may be on their way.
 */
export type ShopRate = {
  add(views: Views, now: number): void;
  /** `people`: without bots. `now`: ms since 1970. */
  lastTen(now: number): { all: number; people: number };
};

const SECONDS = 10;
/** The age of the youngest second that counts; the current one has the age 0. */
const YOUNGEST = 2;
const OLDEST = YOUNGEST + SECONDS - 1;
/** A view may be a little ahead of the clock. */
const AHEAD = 2;
/** More than these seconds, so that no two of them share one. */
const SLOTS = 16;

export function createShopRate(): ShopRate {
  const seconds = new Float64Array(SLOTS).fill(-1);
  const all = new Float64Array(SLOTS);
  const people = new Float64Array(SLOTS);
  return {
    add({ length, words, times }, now) {
      const first = secondOf(now) - OLDEST;
      const last = secondOf(now) + AHEAD;
      for (let i = 0; i < length; i++) {
        const second = secondOf(times[i] ?? 0);
        if (second < first || second > last) continue;
        const row = i << ROW_BITS;
        const at = slotOf(second);
        const weight = words[row + WEIGHT] ?? 0;
        all[at] = (all[at] ?? 0) + weight;
        if (words[row + IS_BOT] === 0) people[at] = (people[at] ?? 0) + weight;
      }
    },
    lastTen(now) {
      const sum = { all: 0, people: 0 };
      for (let at = 0; at < SLOTS; at++) {
        const age = secondOf(now) - (seconds[at] ?? -1);
        if (age < YOUNGEST || age > OLDEST) continue;
        sum.all += all[at] ?? 0;
        sum.people += people[at] ?? 0;
      }
      return sum;
    },
  };

  function slotOf(second: number): number {
    const at = second % SLOTS;
    if (seconds[at] === second) return at;
    seconds[at] = second;
    all[at] = 0;
    people[at] = 0;
    return at;
  }
}

function secondOf(time: number): number {
  return Math.floor(time / 1_000);
}
