import { TICKS_A_SECOND } from './clock.ts';

/*
 * Exact counts of the last second, ten seconds, minute and five minutes, for a fixed number of items.
 *
 * A window is so many slots of a ring: it ends with the current slot, which is still being filled, so it is up to one slot
 * shorter than its name. An item's rings are moved on when the item is looked at, and not on every tick: a tick has nothing to do.
 */

/** What is counted. All views; those of people, a visitor's up to a cap; and visitors, each once in ten seconds. */
export const VIEWS = 0;
export const CAPPED = 1;
export const VISITORS = 2;
export type Kind = typeof VIEWS | typeof CAPPED | typeof VISITORS;
const KINDS = 3;

/** `second` and `ten` are ten slots of their rings, `minute` and `fiveMinutes` sixty. */
export type Window = 'second' | 'ten' | 'minute' | 'fiveMinutes';
const SHORT = 10;
const LONG = 60;
const SLOT_TICKS: Record<Window, number> = {
  second: 1,
  ten: TICKS_A_SECOND,
  minute: TICKS_A_SECOND,
  fiveMinutes: 5 * TICKS_A_SECOND,
};

export type Windows = {
  /**
   * Counts a view at `tick`, which is not after the item's last `advance`: by what `views`, `capped` and `visitors` are to grow. One
   * that is too old for a window is not counted in it.
   */
  add(item: number, tick: number, views: number, capped: number, visitors: number): void;
  /** Moves an item's windows on to `tick`. Returns how many visitors have left the window of a minute by that. */
  advance(item: number, tick: number): number;
  /** The count of a window that was moved on to the current tick. */
  sum(item: number, window: Window, kind: Kind): number;
  /** An item begins without any counts. */
  begin(item: number, tick: number): void;
  bytes: number;
};

/** How long a window is at `tick`, in seconds: its last slot is not over. */
export function secondsOf(window: Window, tick: number): number {
  const slotTicks = SLOT_TICKS[window];
  const slots = window === 'second' || window === 'ten' ? SHORT : LONG;
  return ((slots - 1) * slotTicks + (tick % slotTicks) + 1) / TICKS_A_SECOND;
}

export function createWindows(items: number): Windows {
  const ticks = createRing({
    items,
    slots: 16,
    slotTicks: SLOT_TICKS.second,
    shortest: SHORT,
    longest: SHORT,
  });
  const seconds = createRing({
    items,
    slots: 64,
    slotTicks: SLOT_TICKS.minute,
    shortest: SHORT,
    longest: LONG,
  });
  const fives = createRing({
    items,
    slots: 64,
    slotTicks: SLOT_TICKS.fiveMinutes,
    shortest: LONG,
    longest: LONG,
  });
  const sums = { second: ticks.long, ten: seconds.short, minute: seconds.long, fiveMinutes: fives.long };
  return {
    add(item, tick, views, capped, visitors) {
      addTo(ticks, item, tick, views, capped, visitors);
      addTo(seconds, item, tick, views, capped, visitors);
      addTo(fives, item, tick, views, capped, visitors);
    },
    advance(item, tick) {
      advance(ticks, item, tick);
      advance(fives, item, tick);
      const at = item * KINDS + VISITORS;
      const before = seconds.long[at] ?? 0;
      advance(seconds, item, tick);
      return before - (seconds.long[at] ?? 0);
    },
    sum: (item, window, kind) => sums[window][item * KINDS + kind] ?? 0,
    begin(item, tick) {
      for (const ring of [ticks, seconds, fives]) begin(ring, item, tick);
    },
    bytes: [ticks, seconds, fives].reduce(
      (sum, { cells, short, long }) => sum + cells.byteLength + short.byteLength + long.byteLength,
      0,
    ),
  };
}

type RingOptions = {
  items: number;
  /** A power of two, above `longest`. */
  slots: number;
  slotTicks: number;
  /** The windows that are summed up, in slots. */
  shortest: number;
  longest: number;
};

type Ring = Omit<RingOptions, 'items'> & {
  /** Of each item each slot's counts of each kind. */
  cells: Uint32Array;
  /** Of each item the sums of each kind. */
  short: Uint32Array;
  long: Uint32Array;
  /** The current slot of each item. */
  heads: Int32Array;
};

function createRing({ items, slots, slotTicks, shortest, longest }: RingOptions): Ring {
  return {
    slots,
    slotTicks,
    shortest,
    longest,
    cells: new Uint32Array(items * slots * KINDS),
    short: new Uint32Array(items * KINDS),
    long: new Uint32Array(items * KINDS),
    heads: new Int32Array(items),
  };
}

function addTo(
  ring: Ring,
  item: number,
  tick: number,
  views: number,
  capped: number,
  visitors: number,
): void {
  const slot = (tick / ring.slotTicks) | 0;
  const age = (ring.heads[item] ?? 0) - slot;
  if (age < 0 || age >= ring.longest) return;
  grow(ring.cells, cellOf(ring, item, slot), views, capped, visitors);
  grow(ring.long, item * KINDS, views, capped, visitors);
  if (age < ring.shortest) grow(ring.short, item * KINDS, views, capped, visitors);
}

function grow(counts: Uint32Array, at: number, views: number, capped: number, visitors: number): void {
  counts[at] = (counts[at] ?? 0) + views;
  if (capped !== 0) counts[at + CAPPED] = (counts[at + CAPPED] ?? 0) + capped;
  if (visitors !== 0) counts[at + VISITORS] = (counts[at + VISITORS] ?? 0) + visitors;
}

function advance(ring: Ring, item: number, tick: number): void {
  const now = (tick / ring.slotTicks) | 0;
  const head = ring.heads[item] ?? 0;
  if (now <= head) return;
  ring.heads[item] = now;
  if (now - head >= ring.slots) clear(ring, item);
  else for (let slot = head + 1; slot <= now; slot++) enter(ring, item, slot);
}

/** A window that ends with `slot` has lost one at its other end. */
function enter(ring: Ring, item: number, slot: number): void {
  const { cells, short, long, shortest, longest } = ring;
  const sum = item * KINDS;
  const entered = cellOf(ring, item, slot);
  const leftShort = cellOf(ring, item, slot - shortest);
  const leftLong = cellOf(ring, item, slot - longest);
  for (let kind = 0; kind < KINDS; kind++) {
    short[sum + kind] = (short[sum + kind] ?? 0) - (cells[leftShort + kind] ?? 0);
    long[sum + kind] = (long[sum + kind] ?? 0) - (cells[leftLong + kind] ?? 0);
    cells[entered + kind] = 0;
  }
}

function begin(ring: Ring, item: number, tick: number): void {
  ring.heads[item] = (tick / ring.slotTicks) | 0;
  clear(ring, item);
}

function clear({ cells, short, long, slots }: Ring, item: number): void {
  cells.fill(0, item * slots * KINDS, (item + 1) * slots * KINDS);
  short.fill(0, item * KINDS, (item + 1) * KINDS);
  long.fill(0, item * KINDS, (item + 1) * KINDS);
}

function cellOf({ slots }: Ring, item: number, slot: number): number {
  return (item * slots + (slot & (slots - 1))) * KINDS;
}
