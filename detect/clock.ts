/** The length of a tick, ms: the finest time that anything here knows. */
export const TICK_MS = 100;
export const TICKS_A_SECOND = 1_000 / TICK_MS;

/** How far behind or ahead of the clock an event may be, ms: as far back as the longest window, and what clocks differ by. */
const LATEST_MS = 300_000;
const EARLIEST_MS = 2_000;
/** The longest window begins with a whole slot. */
const LONGEST_SLOT_MS = 5_000;
/** A clock that is corrected goes back by less; the windows then wait for it. */
const SMALL_STEP_MS = 1_000;

/** Now, as all parts of a detector see it. */
export type Moment = {
  tick: number;
  /** Seconds that have passed, whatever the clock did. */
  second: number;
  /** ms since 1970. */
  wall: number;
};

/**
 * Time in ticks since shortly before the start, so that each fits into 31 bits. The clock is the caller's: it is told the time
 * (ms since 1970) and looks at no other.
 */
export type Clock = {
  /**
   * The tick of `now`, which never goes back: where the clock is set back, ticks go on beyond the longest window, which empties all
   * windows.
   */
  advance(now: number): number;
  /** The tick that `time` lies in, at most the current one; -1 for an event that is too old or too far ahead to count. */
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
      if (time < latest - SMALL_STEP_MS) {
        epoch = epochOf(time) - tick * TICK_MS;
        // Slots of all rings begin at whole multiples of the longest.
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
