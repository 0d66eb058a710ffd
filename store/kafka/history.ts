import {
  type History,
  type OnRead,
  type PastRecord,
  type Place,
  type Reach,
  type RemovedRange,
  SKEW_MS,
  type TimeRange,
} from '../history.ts';
import { offsetsOf, recordsIn } from '../undecodable.ts';
import { hasTime, rangesSince } from './ranges-since.ts';
import type { OffsetRange, TopicReader, TopicRecord } from './topic-reader.ts';

export type KafkaHistoryOptions = {
  reader: TopicReader;
  topic: string;
  /** The sinks' group: records that it has not committed are waiting. */
  group: string;
};

/** The topic of the events as history. Finds the beginning of the range by the times of Kafka's records. */
export function createKafkaHistory({ reader, topic, group }: KafkaHistoryOptions): History {
  return { name: `Kafka topic ${topic}`, read, close: () => reader.close() };

  async function read(
    range: TimeRange,
    handle: (records: PastRecord[]) => Promise<void>,
    onRead?: OnRead,
  ): Promise<Reach> {
    // Read first: what is committed now is in the index by the time it is looked up.
    const committed = await reader.committed(topic, group);
    const there = await reader.bounds(topic);
    // Read after the bounds: a sink that continues meanwhile has not lost what retention removes behind it.
    const removedUnread = removedBetween(await reader.committed(topic, group), there);
    const wanted = await rangesSince({ reader, topic, time: range.from, there });
    const placeOf = createPlaces();
    const of = wanted.reduce((sum, { from, to }) => sum + Number(to - from), 0);
    let done = 0;
    await reader.read(topic, wanted, async (records) => {
      await handle(records.map(toPast));
      done += records.length;
      onRead?.(done, of);
    });
    const removedBefore = await beginOf(there);
    const whole = wanted.every(({ from }) => from === 0n);
    return {
      since: whole ? 0 : Math.max(range.from - SKEW_MS, removedBefore ?? 0),
      removedBefore,
      removedUnread,
      unread: unreadIn(committed, there),
      forgotten: forgottenIn(committed, there),
      damage: undefined,
    };

    function toPast(record: TopicRecord): PastRecord {
      const { partition, offset, time, value, undecodable } = record;
      const source = `${topic}/${partition}`;
      const waiting = BigInt(offset) >= (committed.get(partition) ?? 0n);
      const place = placeOf(record);
      if (undecodable === undefined)
        return {
          value,
          received: hasTime(record) ? time : undefined,
          source,
          position: offset,
          waiting,
          place,
        };
      const { reason } = undecodable;
      const why = { records: recordsIn(undecodable), reason };
      // Its timestamps are unreliable.
      return {
        value,
        received: undefined,
        source,
        position: offsetsOf(undecodable),
        waiting,
        place,
        undecodable: why,
      };
    }
  }

  /** Asked only of partitions that have lost something to their retention: the time of what is first in all of them. */
  async function beginOf(there: OffsetRange[]): Promise<number | undefined> {
    const removed = there.filter(({ from, to }) => from > 0n && from < to);
    const firsts = removed.map(({ partition, from }) => ({ partition, from, to: from + 1n }));
    const times: number[] = [];
    await reader.read(topic, firsts, async (records) => void times.push(...records.map(({ time }) => time)));
    return times.length === 0 ? undefined : Math.max(...times);
  }

  function removedBetween(committed: Map<number, bigint>, there: OffsetRange[]): RemovedRange[] {
    const inOrder = there.toSorted((a, b) => a.partition - b.partition);
    return inOrder.flatMap(({ partition, from }) => {
      const next = committed.get(partition);
      if (next === undefined || next >= from) return [];
      return [{ source: `${topic}/${partition}`, first: String(next), last: String(from - 1n) }];
    });
  }

  /** With kafkajs also right after an offset was out of range, until the sink has continued. */
  function forgottenIn(committed: Map<number, bigint>, there: OffsetRange[]): string | undefined {
    const forgotten = there.filter(({ partition, from }) => from > 0n && !committed.has(partition));
    if (forgotten.length === 0) return undefined;
    const places = forgotten.map(({ partition, from }) => `${topic}/${partition} before ${from}`).sort();
    return `it is unknown whether group ${group} had read what was removed: ${places.join(', ')}`;
  }

  function unreadIn(committed: Map<number, bigint>, there: OffsetRange[]): string | undefined {
    const unread = there.filter(({ partition, from, to }) => from < to && !committed.has(partition));
    if (unread.length === 0) return undefined;
    const names = unread.map(({ partition }) => partition).sort((a, b) => a - b);
    return `group ${group} has committed nothing in ${topic}/${names.join(', ')}`;
  }
}

/**
 * Determines the sequence of each record in its spool; must be called in order. With headers on rows (see `createKafkaLog`), only the first
 * record of a row has it, and the number of records that follow.
 */
function createPlaces(): (record: TopicRecord) => Place | undefined {
  const rows = new Map<number, { place: Place; left: number }>();
  return ({ partition, headers, undecodable }) => {
    // It is unknown which events these were, and whether the current row ends among them.
    if (undecodable !== undefined) rows.delete(partition);
    const said = toPlace(headers);
    const row = rows.get(partition);
    if (said !== undefined) {
      rows.set(partition, { place: said, left: Number(headers.count ?? 1) - 1 });
      return said;
    }
    if (row === undefined || row.left <= 0) return undefined;
    row.left--;
    row.place = { ...row.place, sequence: row.place.sequence + 1 };
    return row.place;
  };
}

function toPlace({ node, boot, seq }: Record<string, string>): Place | undefined {
  if (node === undefined || boot === undefined || !/^\d{1,15}$/.test(seq ?? '')) return undefined;
  return { node, boot, sequence: Number(seq) };
}
