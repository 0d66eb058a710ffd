import type { History, PastRecord, Place, Reach, TimeRange } from './history.ts';
import type { OffsetRange, TopicRecord } from './topic-ranges.ts';
import type { TopicReader } from './topic-reader.ts';

export type KafkaHistoryOptions = {
  reader: TopicReader;
  topic: string;
  /** Of the sinks: what it has not committed waits. */
  group: string;
  /** How long after its view an event may have come into Kafka, ms: an outage, a spill. */
  lateMs: number;
};

/** Clocks of nginx and Kafka differ: an event may seem to have come before its view. */
const SKEW_MS = 60_000;

/** The topic of the events as history. Finds the range by the times of Kafka's records. */
export function createKafkaHistory({ reader, topic, group, lateMs }: KafkaHistoryOptions): History {
  return { name: `Kafka topic ${topic}`, read, close: () => reader.close() };

  async function read(range: TimeRange, handle: (records: PastRecord[]) => Promise<void>): Promise<Reach> {
    // First: what is committed now is in the index whenever it is looked for.
    const committed = await reader.committed(topic, group);
    const there = await reader.bounds(topic);
    const wanted = await within(range, there);
    const placeOf = createPlaces();
    await reader.read(topic, wanted, (records) => handle(records.map(toPast)));
    const removedBefore = await beginOf(there);
    const whole = wanted.every(({ from }) => from === 0n);
    return { since: whole ? 0 : Math.max(range.from - SKEW_MS, removedBefore ?? 0), removedBefore };

    function toPast(record: TopicRecord): PastRecord {
      const { partition, offset, time, value } = record;
      return {
        value,
        received: time,
        source: `${topic}/${partition}`,
        position: offset,
        waiting: BigInt(offset) >= (committed.get(partition) ?? 0n),
        place: placeOf(record),
      };
    }
  }

  async function within({ from, to }: TimeRange, there: OffsetRange[]): Promise<OffsetRange[]> {
    const [first, last] = await Promise.all([
      reader.offsetsAt(topic, Math.max(0, from - SKEW_MS)),
      reader.offsetsAt(topic, to + lateMs),
    ]);
    return there.map((bounds) => ({
      partition: bounds.partition,
      from: larger(bounds.from, first.get(bounds.partition) ?? bounds.from),
      to: smaller(bounds.to, last.get(bounds.partition) ?? bounds.to),
    }));
  }

  /** Asked only of partitions that have lost something to their retention: the time of what is first in all of them. */
  async function beginOf(there: OffsetRange[]): Promise<number | undefined> {
    const removed = there.filter(({ from, to }) => from > 0n && from < to);
    const firsts = removed.map(({ partition, from }) => ({ partition, from, to: from + 1n }));
    const times: number[] = [];
    await reader.read(topic, firsts, async (records) => void times.push(...records.map(({ time }) => time)));
    return times.length === 0 ? undefined : Math.max(...times);
  }
}

/**
 * Tells of each record, asked in order, which event of its spool it is. With headers on rows (see `createKafkaLog`) only
 * the first of a row says so, and how many follow it directly.
 */
function createPlaces(): (record: TopicRecord) => Place | undefined {
  const rows = new Map<number, { place: Place; left: number }>();
  return ({ partition, headers }) => {
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

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
