/** The length of a tick, ms: the finest resolution of time here. */
export const TICK_MS = 100;
export const TICKS_A_SECOND = 1_000 / TICK_MS;

/** How far an event may be behind or ahead of the clock, ms: the longest window, and the usual difference between clocks. */
const LATEST_MS = 300_000;
const EARLIEST_MS = 2_000;
/** The longest window begins with a whole slot. */
const LONGEST_SLOT_MS = 5_000;
/** Corrections of a clock go back by less than this; windows then wait until it catches up. */
export const SMALL_STEP_MS = 1_000;

/** The current time, shared by all parts of a detector. */
export type Moment = {
  tick: number;
  /** Seconds that have passed, unaffected by a clock that is set. */
  second: number;
  /** ms since 1970. */
  wall: number;
};

/**
 * Time in ticks, counted from shortly before the start so that it fits into 31 bits. The caller passes the time (ms since 1970); no other
 * clock is read.
 */
export type Clock = {
  /**
   * The tick of `now`. It never goes back: if the clock is set, ticks jump ahead by just over the longest window, which empties all windows.
   * This also holds for a clock that was years late at the start: its ticks would not fit into 31 bits.
   */
  advance(now: number): number;
  /** The tick of `time`, at most the current one; -1 for an event that is too old or too far ahead to count. */
  tickOf(time: number): number;
  /** The current tick. */
  tick(): number;
};

export function createClock(now: number): Clock {
  let epoch = epochOf(now);
  let latest = now;
  let tick = ticksSince(epoch, now);
  return {
    advance(time) {
      if (time < latest - SMALL_STEP_MS || time > latest + LATEST_MS + LONGEST_SLOT_MS) {
        epoch = epochOf(time) - tick * TICK_MS;
        // Slots of all rings begin at whole multiples of the longest slot.
        epoch -= epoch % LONGEST_SLOT_MS;
        latest = time;
      }
      latest = Math.max(latest, time);
      tick = ticksSince(epoch, latest);
      return tick;
    },
    tickOf(time) {
      if (time > latest + EARLIEST_MS || time <= latest - LATEST_MS) return -1;
      return Math.min(tick, ticksSince(epoch, time));
    },
    tick: () => tick,
  };
}

function epochOf(now: number): number {
  const before = now - LATEST_MS - LONGEST_SLOT_MS;
  return before - (before % LONGEST_SLOT_MS);
}

function ticksSince(epoch: number, time: number): number {
  return Math.floor((time - epoch) / TICK_MS);
}
