import { cacheLines } from './cache-lines.ts';
import { TICKS_A_SECOND } from './clock.ts';

/*
 * Exact counts over the last second, ten seconds, minute and five minutes, for a fixed number of items.
 *
 * A window is a number of slots in a ring buffer. It ends with the current slot, which is still being filled, so it is up to one slot
 * shorter than its name. The rings of an item are advanced when the item is read, not on every tick.
 *
 * A view touches one cache line: counts of the current tick are collected in the item's head, beside the sums of ten seconds and of a
 * minute, and are added to the rings by the first view of a later tick. A ring stores slot by slot, each with all items, so that the
 * current slots are adjacent in memory.
 */

/**
 * What is counted: all views; views by people; newcomers, people who were not seen in the seconds before; and people, each in the second of
 * the latest view, which gives the distinct number in ten seconds.
 */
export const VIEWS = 0;
export const BY_PEOPLE = 1;
export const NEWCOMERS = 2;
export const VISITORS = 3;
export type Kind = typeof VIEWS | typeof BY_PEOPLE | typeof NEWCOMERS | typeof VISITORS;
const KINDS = 4;
/** The kinds that the rings of ticks and of five seconds hold: all but the last. */
const COLUMNS = 3;

/** `second` and `ten` are ten slots of their rings, `minute` and `fiveMinutes` are sixty. */
export type Window = 'second' | 'ten' | 'minute' | 'fiveMinutes';
export const WINDOWS: readonly Window[] = ['second', 'ten', 'minute', 'fiveMinutes'];
const SHORT = 10;
const LONG = 60;
const SECOND_TICKS = TICKS_A_SECOND;
export const FIVE_TICKS = 5 * TICKS_A_SECOND;
const SLOT_TICKS: Record<Window, number> = {
  second: 1,
  ten: SECOND_TICKS,
  minute: SECOND_TICKS,
  fiveMinutes: FIVE_TICKS,
};

/**
 * Slots of the ring of seconds: a power of two, longer than its window, because a second is subtracted after it has left the window. The
 * other rings are as long as their window.
 */
const SECOND_SLOTS = 64;

/** The words of an item's head, as long as a cache line: counts of one tick, sums of ten seconds and of a minute, and their ticks. */
const HEAD_BITS = 4;
const TEN = KINDS;
const MINUTE = 2 * KINDS;
const NOW = 3 * KINDS;
const GATHERED = NOW + 1;

export type Windows = {
  /**
   * Counts a view at `tick`, which must not be after the item's last `advance`. Gives the increment of each kind; that of views is at least
   * one. A window ignores a view that is too old for it.
   */
  add(item: number, tick: number, views: number, byPeople: number, newcomers: number, visitors: number): void;
  /** Prefetches what `add` needs for the first `length` items, as `fetch` of admission does. */
  fetch(items: Int32Array, length: number): number;
  /** Removes a visitor from `second` when a later second counts that visitor (see `add`). */
  forgetVisitor(item: number, second: number): void;
  /** Advances an item's windows to `tick`. Returns how many newcomers left the one-minute window. */
  advance(item: number, tick: number): number;
  /** Counts of windows; they must be advanced to the current tick. */
  ten(item: number, kind: Kind): number;
  minute(item: number, kind: Kind): number;
  views(item: number, window: Window): number;
  newcomers(item: number, window: Window): number;
  /** All views, or people's, of the last five minutes: a count for each 5 s, the oldest first; the last is still growing. */
  series(item: number, kind: typeof VIEWS | typeof BY_PEOPLE): number[];
  /** Starts an item with all counts zero. */
  begin(item: number, tick: number): void;
  bytes: number;
};

/** The length of a window at `tick`, in seconds; its last slot is incomplete. */
export function secondsOf(window: Window, tick: number): number {
  const slotTicks = SLOT_TICKS[window];
  const slots = window === 'second' || window === 'ten' ? SHORT : LONG;
  return ((slots - 1) * slotTicks + (tick % slotTicks) + 1) / TICKS_A_SECOND;
}

export function createWindows(items: number): Windows {
  const heads = cacheLines(items << HEAD_BITS);
  const ticks = new Int32Array(items * SHORT * COLUMNS);
  const fives = new Int32Array(items * LONG * COLUMNS);
  /** All kinds. */
  const seconds = new Int32Array(items * SECOND_SLOTS * KINDS);
  return {
    add,
    fetch(places, length) {
      const all = heads;
      let read = 0;
      for (let i = 0; i < length; i++) read ^= all[(places[i] ?? 0) << HEAD_BITS] ?? 0;
      return read;
    },
    forgetVisitor(item, second) {
      const head = item << HEAD_BITS;
      const age = (((heads[head + NOW] ?? 0) / SECOND_TICKS) | 0) - second;
      const at = secondCell(item, second) + VISITORS;
      // The item had lost its place by then, so its counts are gone.
      if (age >= LONG || (seconds[at] ?? 0) === 0) return;
      seconds[at] = (seconds[at] ?? 0) - 1;
      heads[head + MINUTE + VISITORS] = (heads[head + MINUTE + VISITORS] ?? 0) - 1;
      if (age < SHORT) heads[head + TEN + VISITORS] = (heads[head + TEN + VISITORS] ?? 0) - 1;
    },
    advance,
    ten: (item, kind) => withGathered(item, TEN, kind, SHORT),
    minute: (item, kind) => withGathered(item, MINUTE, kind, LONG),
    views: (item, window) => sum(item, window, VIEWS),
    newcomers: (item, window) => sum(item, window, NEWCOMERS),
    series,
    begin(item, tick) {
      const head = item << HEAD_BITS;
      heads.fill(0, head, head + (1 << HEAD_BITS));
      heads[head + NOW] = tick;
      heads[head + GATHERED] = tick;
      enter(ticks, item, SHORT, 0, SHORT);
      enter(fives, item, LONG, 0, LONG);
      clearSeconds(item);
    },
    bytes: heads.byteLength + ticks.byteLength + fives.byteLength + seconds.byteLength,
  };

  function add(
    item: number,
    tick: number,
    views: number,
    byPeople: number,
    newcomers: number,
    visitors: number,
  ): void {
    const head = item << HEAD_BITS;
    if (heads[head + GATHERED] !== tick) {
      settle(item);
      heads[head + GATHERED] = tick;
    }
    heads[head] = (heads[head] ?? 0) + views;
    heads[head + BY_PEOPLE] = (heads[head + BY_PEOPLE] ?? 0) + byPeople;
    heads[head + NEWCOMERS] = (heads[head + NEWCOMERS] ?? 0) + newcomers;
    heads[head + VISITORS] = (heads[head + VISITORS] ?? 0) + visitors;
  }

  /** Adds the collected counts to the rings. */
  function settle(item: number): void {
    const head = item << HEAD_BITS;
    const views = heads[head] ?? 0;
    if (views === 0) return;
    const byPeople = heads[head + BY_PEOPLE] ?? 0;
    const newcomers = heads[head + NEWCOMERS] ?? 0;
    const tick = heads[head + GATHERED] ?? 0;
    const now = heads[head + NOW] ?? 0;
    if (now - tick < SHORT) grow(ticks, cellOf(item, SHORT, tick), views, byPeople, newcomers);
    const five = (tick / FIVE_TICKS) | 0;
    if (((now / FIVE_TICKS) | 0) - five < LONG)
      grow(fives, cellOf(item, LONG, five), views, byPeople, newcomers);
    const second = (tick / SECOND_TICKS) | 0;
    const age = ((now / SECOND_TICKS) | 0) - second;
    const cell = secondCell(item, second);
    for (let kind = 0; kind < KINDS; kind++) {
      const count = heads[head + kind] ?? 0;
      heads[head + kind] = 0;
      if (age >= LONG) continue;
      seconds[cell + kind] = (seconds[cell + kind] ?? 0) + count;
      heads[head + MINUTE + kind] = (heads[head + MINUTE + kind] ?? 0) + count;
      if (age < SHORT) heads[head + TEN + kind] = (heads[head + TEN + kind] ?? 0) + count;
    }
  }

  function advance(item: number, tick: number): number {
    const head = item << HEAD_BITS;
    const before = heads[head + NOW] ?? 0;
    if (tick <= before) return 0;
    settle(item);
    heads[head + NOW] = tick;
    enter(ticks, item, SHORT, before, tick);
    const from = (before / SECOND_TICKS) | 0;
    const to = (tick / SECOND_TICKS) | 0;
    if (to === from) return 0;
    enter(fives, item, LONG, (before / FIVE_TICKS) | 0, (tick / FIVE_TICKS) | 0);
    const newcomers = heads[head + MINUTE + NEWCOMERS] ?? 0;
    if (to - from >= SECOND_SLOTS) {
      clearSeconds(item);
      heads.fill(0, head + TEN, head + NOW);
    } else for (let second = from + 1; second <= to; second++) enterSecond(item, head, second);
    return newcomers - (heads[head + MINUTE + NEWCOMERS] ?? 0);
  }

  /** Removes the oldest second from the windows that end with `second`. */
  function enterSecond(item: number, head: number, second: number): void {
    leave(head + TEN, secondCell(item, second - SHORT));
    leave(head + MINUTE, secondCell(item, second - LONG));
    const entered = secondCell(item, second);
    // A slot without views has no other counts.
    if (seconds[entered] === 0) return;
    for (let kind = 0; kind < KINDS; kind++) seconds[entered + kind] = 0;
  }

  function clearSeconds(item: number): void {
    for (let second = 0; second < SECOND_SLOTS; second++) {
      const cell = secondCell(item, second);
      for (let kind = 0; kind < KINDS; kind++) seconds[cell + kind] = 0;
    }
  }

  function leave(at: number, cell: number): void {
    if (seconds[cell] === 0) return;
    for (let kind = 0; kind < KINDS; kind++)
      heads[at + kind] = (heads[at + kind] ?? 0) - (seconds[cell + kind] ?? 0);
  }

  function withGathered(item: number, at: number, kind: Kind, slots: number): number {
    const head = item << HEAD_BITS;
    const gathered = heads[head + kind] ?? 0;
    const settled = heads[head + at + kind] ?? 0;
    if (gathered === 0) return settled;
    const now = ((heads[head + NOW] ?? 0) / SECOND_TICKS) | 0;
    const age = now - (((heads[head + GATHERED] ?? 0) / SECOND_TICKS) | 0);
    return age < slots ? settled + gathered : settled;
  }

  function sum(item: number, window: Window, kind: typeof VIEWS | typeof NEWCOMERS): number {
    if (window === 'ten') return withGathered(item, TEN, kind, SHORT);
    if (window === 'minute') return withGathered(item, MINUTE, kind, LONG);
    settle(item);
    const now = heads[(item << HEAD_BITS) + NOW] ?? 0;
    return window === 'second'
      ? sumOf(ticks, item, SHORT, now, kind)
      : sumOf(fives, item, LONG, (now / FIVE_TICKS) | 0, kind);
  }

  function series(item: number, kind: typeof VIEWS | typeof BY_PEOPLE): number[] {
    settle(item);
    const last = ((heads[(item << HEAD_BITS) + NOW] ?? 0) / FIVE_TICKS) | 0;
    return Array.from({ length: LONG }, (_, i) => fives[cellOf(item, LONG, last - LONG + 1 + i) + kind] ?? 0);
  }

  function secondCell(item: number, second: number): number {
    return ((second & (SECOND_SLOTS - 1)) * items + item) * KINDS;
  }

  function cellOf(item: number, slots: number, slot: number): number {
    return ((slot % slots) * items + item) * COLUMNS;
  }

  /** Clears the slots after `before`, up to `now`. */
  function enter(ring: Int32Array, item: number, slots: number, before: number, now: number): void {
    for (let slot = Math.max(before, now - slots) + 1; slot <= now; slot++) {
      const at = cellOf(item, slots, slot);
      for (let column = 0; column < COLUMNS; column++) ring[at + column] = 0;
    }
  }

  function sumOf(ring: Int32Array, item: number, slots: number, now: number, kind: Kind): number {
    let sum = 0;
    for (let slot = now - slots + 1; slot <= now; slot++) sum += ring[cellOf(item, slots, slot) + kind] ?? 0;
    return sum;
  }
}

function grow(ring: Int32Array, at: number, views: number, byPeople: number, newcomers: number): void {
  ring[at] = (ring[at] ?? 0) + views;
  ring[at + BY_PEOPLE] = (ring[at + BY_PEOPLE] ?? 0) + byPeople;
  ring[at + NEWCOMERS] = (ring[at + NEWCOMERS] ?? 0) + newcomers;
}
