import type { PastView } from '../detect/backtest.ts';
import { EventError } from '../event/parse.ts';
import { createPastEvent, type PastEvent, type ReadOther } from '../event/past-view.ts';
import type { RecentIds } from '../sidecar/ingest/recent-ids.ts';

/*
 * Events of the past, one after the other, for those who look at their views: each once, of the range and the node that are asked for.
 * What does not count is counted, with why.
 */

export type PastEvents = {
  /**
   * The event in bytes `at` to `until`. `received`: when it came to where it lies, ms since 1970, where that is known. `place`: for
   * people, asked for where the event cannot be read. Throws a `TooManyBadEvents`.
   */
  take(bytes: Buffer, at: number, until: number, received: number | undefined, place: () => string): void;
  /** Counts something that is not an event, without examining it. */
  refuse(reason: string, place: () => string): void;
  /** What is known of the event with which a function is being called. */
  event: PastEvent;
  end(): PastCounts;
};

export type PastCounts = {
  /** All that was read. */
  events: number;
  /** Told. */
  views: number;
  /** Of these, of bots, and of visitors of whom nothing is stored: their views are load, and no demand. */
  bots: number;
  unknownVisitors: number;
  /** Fetched ahead, HEAD, parts, tests. */
  noViews: number;
  outside: number;
  otherNodes: number;
  duplicates: number;
  /** From a time to come, as their place in the log, or the events around them, tell. */
  ahead: number;
  bad: number;
  /** The first of them. */
  badExamples: { place: string; reason: string }[];
  nodes: string[];
};

export type PastEventsOptions = {
  other: ReadOther;
  /** Times of events, ms since 1970. */
  range: { from: number; to: number };
  node?: string | undefined;
  recent: RecentIds;
  observe: (view: PastView) => void;
  mostBad: number;
};

/** So much of what was read is no event that it is not what was meant. */
export class TooManyBadEvents extends Error {
  override name = 'TooManyBadEvents';
}

const AHEAD_MS = 2_000;
/** An event that is so much later than all before it is believed when the next one is not earlier again. */
const JUMP_MS = 600_000;
const LONGEST_JUMP_MS = 86_400_000;
const SHOWN_BAD = 10;
const MOST_NODES = 100;

export function createPastEvents(options: PastEventsOptions): PastEvents {
  const { other, range, node, recent, observe, mostBad } = options;
  const event = createPastEvent(other);
  const nodes = new Set<string>();
  const counts = {
    events: 0,
    views: 0,
    bots: 0,
    unknownVisitors: 0,
    noViews: 0,
    outside: 0,
    otherNodes: 0,
    duplicates: 0,
    ahead: 0,
    bad: 0,
  };
  const badExamples: PastCounts['badExamples'] = [];
  let latest = -JUMP_MS;
  /** An event that is far ahead, and when it was. */
  let doubted: { bytes: Buffer; time: number } | undefined;
  return {
    take,
    refuse(reason, place) {
      counts.events++;
      refuse(reason, place);
    },
    event,
    end() {
      if (doubted !== undefined) {
        // The very last one: by as much as a night it may be.
        if (latest > 0 && doubted.time > latest + LONGEST_JUMP_MS) counts.ahead++;
        else showDoubted(doubted.bytes);
        doubted = undefined;
      }
      return { ...counts, badExamples, nodes: [...nodes].sort() };
    },
  };

  function take(
    bytes: Buffer,
    at: number,
    until: number,
    received: number | undefined,
    place: () => string,
  ): void {
    counts.events++;
    try {
      event.read(bytes, at, until, received);
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      refuse(error.message, place);
      return;
    }
    const time = event.time();
    if (!event.isView()) counts.noViews++;
    else if (time < range.from || time >= range.to) counts.outside++;
    else if (node !== undefined && event.node() !== node) counts.otherNodes++;
    else if (received !== undefined && time > received + AHEAD_MS) counts.ahead++;
    else if (received !== undefined || isBelieved(time, bytes, at, until)) show();
  }

  /** An event far ahead of all before it waits for the next one if nothing says when it came: its clock may be wrong. */
  function isBelieved(time: number, bytes: Buffer, at: number, until: number): boolean {
    if (doubted !== undefined) {
      if (time < doubted.time - JUMP_MS) counts.ahead++;
      else showDoubted(doubted.bytes);
      doubted = undefined;
      event.read(bytes, at, until);
    }
    if (time <= latest + JUMP_MS) return true;
    doubted = { bytes: Buffer.from(bytes.subarray(at, until)), time };
    return false;
  }

  function showDoubted(value: Buffer): void {
    event.read(value, 0, value.length);
    show();
  }

  function show(): void {
    if (recent.has(event.id(0), event.id(1))) {
      counts.duplicates++;
      return;
    }
    recent.add(event.id(0), event.id(1));
    latest = Math.max(latest, event.time());
    counts.views++;
    if (event.isBot()) counts.bots++;
    else if (event.isNobody()) counts.unknownVisitors++;
    if (nodes.size < MOST_NODES) nodes.add(event.node());
    observe(event);
  }

  function refuse(reason: string, place: () => string): void {
    counts.bad++;
    if (badExamples.length < SHOWN_BAD) badExamples.push({ place: place(), reason });
    if (counts.bad > mostBad)
      throw new TooManyBadEvents(
        `more than ${mostBad} are no events: ${badExamples.map(({ place, reason }) => `${place}: ${reason}`).join('; ')}`,
      );
  }
}
