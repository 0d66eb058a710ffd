import type { HotItemEvent } from '../event/event.ts';
import { EventError } from '../event/parse.ts';
import type { ReadRecord } from '../sink/read-record.ts';
import { separateEvents } from '../sink/separate-events.ts';
import type { PastRecord, TimeRange } from '../store/history.ts';

/** A record of the range: an event, or why it is not one. */
export type PastEvent = { record: PastRecord; event: HotItemEvent } | { record: PastRecord; reason: string };

/**
 * The records of `range`, by the time of their event; records that are not events by the time of their receipt, or always if that is
 * unknown. One by one, because a record may contain thousands of events.
 */
export function* pastEvents(
  records: PastRecord[],
  { from, to }: TimeRange,
  read: ReadRecord,
): Generator<PastEvent> {
  for (const record of records) for (const past of toPastEvents(record, read)) if (isInside(past)) yield past;

  function isInside(past: PastEvent): boolean {
    const time = 'event' in past ? past.event.time : past.record.received;
    return time === undefined || (time >= from && time < to);
  }
}

/** The number that a lookup accepts at once. */
export function* chunksOf<T>(all: Iterable<T>, most: number): Generator<T[]> {
  let some: T[] = [];
  for (const one of all) {
    some.push(one);
    if (some.length < most) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/** The position of a record, as in dead letters: `collection_hot_item/3/1207`. */
export function originOf({ source, position }: PastRecord): string {
  return `${source}/${position}`;
}

/** How many records it represents: more than one if they cannot be decoded. */
export function countOf({ record: { undecodable } }: PastEvent): number {
  return undecodable?.records ?? 1;
}

/** A record may contain several events. */
function* toPastEvents(record: PastRecord, read: ReadRecord): Generator<PastEvent> {
  const { value, source, position, received, undecodable } = record;
  if (undecodable !== undefined) {
    yield { record, reason: `${undecodable.records} records cannot be decoded: ${undecodable.reason}` };
    return;
  }
  const whole = { source, values: [value], position: () => position, time: () => received };
  for (const batch of separateEvents(whole))
    for (const [i, one] of batch.values.entries()) {
      const own = one === value ? record : { ...record, value: one, position: batch.position(i) };
      yield toPastEvent(own, () => read(batch, i));
    }
}

function toPastEvent(record: PastRecord, read: () => HotItemEvent): PastEvent {
  try {
    return { record, event: read() };
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    // Without the value, which is still in the log: printed output may be stored.
    return { record, reason: error.problem };
  }
}
