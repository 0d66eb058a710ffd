import type { HotItemEvent } from '../event/event.ts';
import { EventError } from '../event/parse.ts';
import type { PastRecord, TimeRange } from '../store/history.ts';
import type { ReadRecord } from './read-record.ts';
import { separateEvents } from './separate-events.ts';

/** A record of the range: an event, or why it is none. */
export type PastEvent = { record: PastRecord; event: HotItemEvent } | { record: PastRecord; reason: string };

/**
 * The records that belong to `range`, by the time of their event; what is no event, by the time at which it came, and always
 * where nobody knows that.
 */
export function pastEvents(records: PastRecord[], { from, to }: TimeRange, read: ReadRecord): PastEvent[] {
  return records.flatMap((record) => toPastEvents(record, read)).filter(isInside);

  function isInside(past: PastEvent): boolean {
    const time = 'event' in past ? past.event.time : past.record.received;
    return time === undefined || (time >= from && time < to);
  }
}

/** Where a record lies, as a dead letter says it: `collection_hot_item/3/1207`. */
export function originOf({ source, position }: PastRecord): string {
  return `${source}/${position}`;
}

/** How many records it stands for: more than one where they cannot be decoded. */
export function countOf({ record: { undecodable } }: PastEvent): number {
  return undecodable?.records ?? 1;
}

/** A record may hold several events. */
function toPastEvents(record: PastRecord, read: ReadRecord): PastEvent[] {
  const { value, source, position, received, undecodable } = record;
  if (undecodable !== undefined)
    return [{ record, reason: `${undecodable.records} records cannot be decoded: ${undecodable.reason}` }];
  const batch = separateEvents({ source, values: [value], position: () => position, time: () => received });
  return batch.values.map((one, i) => {
    const own = one === value ? record : { ...record, value: one, position: batch.position(i) };
    try {
      return { record: own, event: read(batch, i) };
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      // Without the value, which lies where it lay: what is printed may be kept as well.
      return { record: own, reason: error.problem };
    }
  });
}
