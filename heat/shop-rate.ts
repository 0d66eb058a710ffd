/** Counts views of all items in the last ten full seconds, by time of arrival. */
export type ShopRate = {
  /** Adds `all` views, of which `people` are not by bots, at a time in ms since 1970 that must not go back. */
  add(all: number, people: number, time: number): void;
  lastTen(time: number): { all: number; people: number };
};

const SECONDS = 10;
/** Ten full seconds, and the current one. */
const SLOTS = SECONDS + 1;

export function createShopRate(): ShopRate {
  const seconds = new Float64Array(SLOTS).fill(-1);
  const all = new Float64Array(SLOTS);
  const people = new Float64Array(SLOTS);
  return {
    add(allViews, peoplesViews, time) {
      const second = Math.floor(time / 1_000);
      const at = second % SLOTS;
      if (seconds[at] !== second) {
        seconds[at] = second;
        all[at] = 0;
        people[at] = 0;
      }
      all[at] = (all[at] ?? 0) + allViews;
      people[at] = (people[at] ?? 0) + peoplesViews;
    },
    lastTen(time) {
      const now = Math.floor(time / 1_000);
      const sum = { all: 0, people: 0 };
      for (let at = 0; at < SLOTS; at++) {
        const age = now - (seconds[at] ?? -1);
        if (age < 1 || age > SECONDS) continue;
        sum.all += all[at] ?? 0;
        sum.people += people[at] ?? 0;
      }
      return sum;
    },
  };
}
