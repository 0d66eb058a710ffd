import type { LiveItem } from '../../heat/live.ts';
import { ranked } from '../live-state.ts';

/** Which row stands where. Calm: what a reader looks at must not move away. */
export type Order = {
  /** The items in the order in which they are shown. `isPointedAt`: nothing moves, new ones come last. `now` in ms. */
  arrange(items: readonly LiveItem[], now: number, isPointedAt: boolean): LiveItem[];
  /** Places that an item went up in the last minute; undefined where it was not there then. */
  moved(item: string, place: number, now: number): number | undefined;
};

const KEPT_MS = 5_000;
const MINUTE_MS = 60_000;

export function createOrder(): Order {
  let order: string[] = [];
  let orderedAt = Number.NEGATIVE_INFINITY;
  /** Of the last minute, the oldest first. */
  let past: { at: number; places: Map<string, number> }[] = [];
  return {
    arrange(items, now, isPointedAt) {
      const byName = new Map(items.map((item) => [item.item, item]));
      const before = new Set(order);
      const isNew = items.some(({ item }) => !before.has(item));
      if (!isPointedAt && (isNew || now - orderedAt >= KEPT_MS)) {
        order = ranked(items).map(({ item }) => item);
        orderedAt = now;
        past = [
          ...past.filter(({ at }) => now - at <= MINUTE_MS + KEPT_MS),
          { at: now, places: placesOf(order) },
        ];
      }
      const known = order.filter((item) => byName.has(item));
      const placed = new Set(known);
      const rest = items.map(({ item }) => item).filter((item) => !placed.has(item));
      order = [...known, ...rest];
      return order.flatMap((item) => byName.get(item) ?? []);
    },
    moved(item, place, now) {
      const then = past.findLast(({ at }) => now - at >= MINUTE_MS);
      const before = then?.places.get(item);
      return before === undefined ? undefined : before - place;
    },
  };
}

function placesOf(order: string[]): Map<string, number> {
  return new Map(order.map((item, i) => [item, i + 1]));
}
