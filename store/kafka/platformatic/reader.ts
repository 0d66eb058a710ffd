import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Consumer } from '@platformatic/kafka';
import { createBackoff } from '../../../service/backoff.ts';
import { undecodableIn } from '../../undecodable.ts';
import { CLOSE_MS, FETCH_WAIT_MS } from '../timing.ts';
import {
  type GroupMember,
  isInside,
  type OffsetRange,
  type TopicReader,
  type TopicReaderOptions,
  type TopicRecord,
} from '../topic-reader.ts';
import { toKafkaError } from './failure.ts';
import { type FetchedRecord, fetchRecords } from './fetch.ts';
import { loadPlatformatic, toOptions } from './platformatic.ts';

/** Kafka's values for the oldest record and the end. */
const EARLIEST = -2n;
const LATEST = -1n;
/** Compressed; decompressed it may be ten times as much. */
const MAX_BYTES = 256 * 1024;
/** Longer than a leader election. */
const STALLED_MS = 60_000;

/** Reads topics over @platformatic/kafka, without a group. Connects when it is first used. */
export function createPlatformaticReader({ connection, groupPrefix }: TopicReaderOptions): TopicReader {
  let connecting: Promise<{ admin: Admin; consumer: Consumer }> | undefined;
  return { bounds, offsetsAt, committed, members, read, deleteBefore, close };

  function connected() {
    connecting ??= connect();
    return connecting;
  }

  async function connect() {
    const { Admin, Consumer } = await loadPlatformatic();
    const options = toOptions(connection);
    // Used only for fetching; it never joins.
    const consumer = new Consumer({
      ...options,
      groupId: `${groupPrefix}-reader`,
      maxWaitTime: FETCH_WAIT_MS,
    });
    return { admin: new Admin(options), consumer };
  }

  function bounds(topic: string): Promise<OffsetRange[]> {
    return ask(`read topic ${topic}`, async ({ consumer }) => {
      const [first, end] = await Promise.all([
        consumer.listOffsets({ topics: [topic], timestamp: EARLIEST }),
        consumer.listOffsets({ topics: [topic], timestamp: LATEST }),
      ]);
      const ends = end.get(topic) ?? [];
      return (first.get(topic) ?? []).map((from, partition) => ({
        partition,
        from,
        to: ends[partition] ?? from,
      }));
    });
  }

  function offsetsAt(topic: string, time: number): Promise<Map<number, bigint>> {
    return ask(`read topic ${topic}`, async ({ consumer }) => {
      const [found, end] = await Promise.all([
        consumer.listOffsets({ topics: [topic], timestamp: BigInt(time) }),
        consumer.listOffsets({ topics: [topic], timestamp: LATEST }),
      ]);
      const ends = end.get(topic) ?? [];
      const offsets = (found.get(topic) ?? []).map((at, partition) =>
        at < 0n ? (ends[partition] ?? 0n) : at,
      );
      return new Map(offsets.entries());
    });
  }

  function committed(topic: string, group: string): Promise<Map<number, bigint>> {
    return ask(`read topic ${topic}`, async ({ admin, consumer }) => {
      const count = (await consumer.metadata({ topics: [topic] })).topics.get(topic)?.partitionsCount ?? 0;
      const partitionIndexes = Array.from({ length: count }, (_, i) => i);
      const [found] = await admin.listConsumerGroupOffsets({
        groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes }] }],
      });
      const partitions = found?.topics.flatMap((one) => one.partitions) ?? [];
      // -1: nothing is committed.
      return new Map(
        partitions
          .filter(({ committedOffset }) => committedOffset >= 0n)
          .map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
      );
    });
  }

  function members(group: string): Promise<GroupMember[]> {
    return ask(`describe group ${group}`, async ({ admin }) => {
      const found = (await admin.describeGroups({ groups: [group] })).get(group);
      return [...(found?.members.values() ?? [])].map(({ clientId, clientHost }) => ({
        client: clientId,
        host: clientHost.replace(/^\//, ''),
      }));
    });
  }

  async function deleteBefore(topic: string, offsets: Map<number, bigint>): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset }));
    await ask(`delete from topic ${topic}`, ({ admin }) =>
      admin.deleteRecords({ topics: [{ name: topic, partitions }] }),
    );
  }

  async function read(
    topic: string,
    ranges: OffsetRange[],
    handle: (records: TopicRecord[]) => Promise<void>,
  ): Promise<void> {
    for (const range of ranges) await readRange(topic, range, handle);
  }

  /** Retries through a leader election, but not forever. */
  async function readRange(
    topic: string,
    { partition, from, to }: OffsetRange,
    handle: (records: TopicRecord[]) => Promise<void>,
  ): Promise<void> {
    const { consumer } = await connected();
    const backoff = createBackoff({ longestMs: 1_000 });
    let stalled = AbortSignal.timeout(STALLED_MS);
    for (let offset = from; offset < to; ) {
      const what = { topic, partition, offset, maxBytes: MAX_BYTES };
      const fetched = await fetchRecords(consumer, what).catch((error: unknown) =>
        failed(topic, error, stalled),
      );
      if (fetched === undefined || fetched.next === offset) {
        if (stalled.aborted)
          throw new Error(`no record of ${topic}/${partition} arrives at offset ${offset}`);
        await backoff.wait(stalled).catch(() => {});
        continue;
      }
      const records = fetched.records.map((record) => toRecord(partition, record));
      const inside = records.filter((record) => isInside({ from: offset, to }, record));
      if (inside.length > 0) await handle(inside);
      offset = fetched.next;
      stalled = AbortSignal.timeout(STALLED_MS);
      backoff.reset();
    }
  }

  /** Undefined if a retry may succeed soon. */
  function failed(topic: string, error: unknown, stalled: AbortSignal): undefined {
    const failure = toKafkaError(`cannot read topic ${topic}`, error);
    const mayPass = failure.failure === 'leader' || failure.failure === 'unreachable';
    if (!mayPass || stalled.aborted) throw failure;
    return undefined;
  }

  async function ask<T>(
    what: string,
    question: (clients: { admin: Admin; consumer: Consumer }) => Promise<T>,
  ): Promise<T> {
    try {
      return await question(await connected());
    } catch (error) {
      throw toKafkaError(`cannot ${what}`, error);
    }
  }

  async function close(): Promise<void> {
    const clients = await connecting?.catch(() => undefined);
    const closed = Promise.all([clients?.admin.close(), clients?.consumer.close(true)]).catch(() => {});
    await Promise.race([closed, sleep(CLOSE_MS)]);
  }
}

function toRecord(partition: number, { offset, timestamp, value, headers }: FetchedRecord): TopicRecord {
  const undecodable = undecodableIn(value);
  return {
    partition,
    offset: String(offset),
    time: Number(timestamp),
    value: undecodable === undefined && value !== undefined ? value : Buffer.alloc(0),
    // Of a repeated header, the first value counts.
    headers: Object.fromEntries(
      headers.map(([name, content]) => [String(name), String(content ?? '')]).reverse(),
    ),
    ...(undecodable !== undefined && { undecodable }),
  };
}
