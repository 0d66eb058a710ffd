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

export const WINDOWS = { second: 0, ten: 1, minute: 2, fiveMinutes: 3 } as const;
export type Window = keyof typeof WINDOWS;
/** In slots of its ring, and of that the length, ticks. */
const TEN_TICKS = { slots: 10, slotTicks: 1 };
const TEN_SECONDS = { slots: 10, slotTicks: TICKS_A_SECOND };
const MINUTE = { slots: 60, slotTicks: TICKS_A_SECOND };
const FIVE_MINUTES = { slots: 60, slotTicks: 5 * TICKS_A_SECOND };

export type Windows = {
  /** Counts at `tick`, which is not after the item's last `advance`. */
  add(item: number, tick: number, kind: Kind, weight: number): void;
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
  const { slots, slotTicks } = [TEN_TICKS, TEN_SECONDS, MINUTE, FIVE_MINUTES][WINDOWS[window]] ?? MINUTE;
  return ((slots - 1) * slotTicks + (tick % slotTicks) + 1) / TICKS_A_SECOND;
}

export function createWindows(items: number): Windows {
  const second = createRing({ items, slots: 16, slotTicks: 1, windows: [TEN_TICKS.slots] });
  const minute = createRing({
    items,
    slots: 64,
    slotTicks: TICKS_A_SECOND,
    windows: [TEN_SECONDS.slots, MINUTE.slots],
  });
  const five = createRing({
    items,
    slots: 64,
    slotTicks: FIVE_MINUTES.slotTicks,
    windows: [FIVE_MINUTES.slots],
  });
  const sums = [second.sums[0], minute.sums[0], minute.sums[1], five.sums[0]];
  return {
    add(item, tick, kind, weight) {
      second.add(item, tick, kind, weight);
      minute.add(item, tick, kind, weight);
      five.add(item, tick, kind, weight);
    },
    advance(item, tick) {
      second.advance(item, tick);
      five.advance(item, tick);
      return minute.advance(item, tick);
    },
    sum: (item, window, kind) => sums[WINDOWS[window]]?.[item * KINDS + kind] ?? 0,
    begin(item, tick) {
      second.begin(item, tick);
      minute.begin(item, tick);
      five.begin(item, tick);
    },
    bytes: second.bytes + minute.bytes + five.bytes,
  };
}

type RingOptions = {
  items: number;
  /** A power of two, above the longest of `windows`. */
  slots: number;
  slotTicks: number;
  /** In slots, the longest last. */
  windows: number[];
};

function createRing({ items, slots, slotTicks, windows }: RingOptions) {
  const cells = new Uint32Array(items * slots * KINDS);
  const sums = windows.map(() => new Uint32Array(items * KINDS));
  const heads = new Int32Array(items);
  const longest = windows.at(-1) ?? 0;
  return { sums, add, advance, begin, bytes: cells.byteLength + sums.length * items * KINDS * 4 };

  function add(item: number, tick: number, kind: Kind, weight: number): void {
    const slot = (tick / slotTicks) | 0;
    const age = (heads[item] ?? 0) - slot;
    if (age < 0 || age >= longest) return;
    const cell = cellOf(item, slot) + kind;
    cells[cell] = (cells[cell] ?? 0) + weight;
    const at = item * KINDS + kind;
    for (let i = 0; i < windows.length; i++) {
      const sum = sums[i];
      if (sum !== undefined && age < (windows[i] ?? 0)) sum[at] = (sum[at] ?? 0) + weight;
    }
  }

  /** Returns how many visitors left the longest window. */
  function advance(item: number, tick: number): number {
    const now = (tick / slotTicks) | 0;
    const head = heads[item] ?? 0;
    if (now <= head) return 0;
    heads[item] = now;
    const before = sums.at(-1)?.[item * KINDS + VISITORS] ?? 0;
    if (now - head >= slots) clear(item);
    else for (let slot = head + 1; slot <= now; slot++) enter(item, slot);
    return before - (sums.at(-1)?.[item * KINDS + VISITORS] ?? 0);
  }

  /** A window that ends with `slot` has lost one at its other end. */
  function enter(item: number, slot: number): void {
    for (let i = 0; i < windows.length; i++) {
      const sum = sums[i];
      const gone = cellOf(item, slot - (windows[i] ?? 0));
      for (let kind = 0; kind < KINDS && sum !== undefined; kind++) {
        sum[item * KINDS + kind] = (sum[item * KINDS + kind] ?? 0) - (cells[gone + kind] ?? 0);
      }
    }
    const cell = cellOf(item, slot);
    cells.fill(0, cell, cell + KINDS);
  }

  function begin(item: number, tick: number): void {
    heads[item] = (tick / slotTicks) | 0;
    clear(item);
  }

  function clear(item: number): void {
    cells.fill(0, item * slots * KINDS, (item + 1) * slots * KINDS);
    for (const sum of sums) sum.fill(0, item * KINDS, (item + 1) * KINDS);
  }

  function cellOf(item: number, slot: number): number {
    return (item * slots + (slot & (slots - 1))) * KINDS;
  }
}
