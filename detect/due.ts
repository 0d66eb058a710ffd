import type { Moment } from './clock.ts';

/*
 * Which items are due to be checked. A check costs as much as counting several views, and nearly all of them find that the item is far below
 * every threshold. So each check states how many more views the item needs before another can find anything, and until when that is certain.
 */
export type Due = {
  /** Counts views of an item. Returns true if it is due, and then false until `rest`. */
  count(place: number, views: number): boolean;
  /** The item is due after so many views, or with its first view at `tick` or later. */
  rest(place: number, views: number, tick: number): void;
  /** The item is due with its next view. */
  wake(place: number): void;
  /** All are. */
  wakeAll(): void;
};

/** More than an item can have in a second. */
export const MANY_VIEWS = 0x3fffffff;

export function createDue(places: number, moment: Moment): Due {
  /** Of each place: the views that are left, and the tick. */
  const rests = new Int32Array(2 * places);
  return {
    count(place, views) {
      const at = place << 1;
      const left = (rests[at] ?? 0) - views;
      rests[at] = left;
      if (left > 0 && moment.tick < (rests[at + 1] ?? 0)) return false;
      rests[at] = MANY_VIEWS;
      rests[at + 1] = MANY_VIEWS;
      return true;
    },
    rest(place, views, tick) {
      rests[place << 1] = views;
      rests[(place << 1) + 1] = tick;
    },
    wake(place) {
      rests[place << 1] = 0;
    },
    wakeAll: () => void rests.fill(0),
  };
}
