import { randomBytes } from 'node:crypto';
import { createBackoff } from '../../../service/backoff.ts';
import type {
  GroupMember,
  OffsetRange,
  TopicReader,
  TopicReaderOptions,
  TopicRecord,
} from '../topic-reader.ts';
import { toKafkaError } from './failure.ts';
import { createKafka } from './kafkajs.ts';
import { kafkajs } from './library.ts';
import { readRanges } from './read-ranges.ts';

/** Compressed bytes per fetch; decompressed, it may be ten times as much. */
const MAX_BYTES_PER_PARTITION = 256 * 1024;
/** How long a group may take to find its coordinator. A new Kafka creates the coordinators when the first group asks. */
const COORDINATOR_MS = 20_000;
const COORDINATOR_MISSING = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/** Reads topics over kafkajs. Connects when it is first used. */
export function createTopicReader({ connection, groupPrefix }: TopicReaderOptions): TopicReader {
  const kafka = createKafka(connection);
  const admin = kafka.admin();
  let connecting: Promise<void> | undefined;
  return { bounds, offsetsAt, committed, members, read, deleteBefore, close };

  function bounds(topic: string): Promise<OffsetRange[]> {
    return ask(`read topic ${topic}`, async () => {
      const found = await admin.fetchTopicOffsets(topic);
      return found.map(({ partition, low, high }) => ({ partition, from: BigInt(low), to: BigInt(high) }));
    });
  }

  function offsetsAt(topic: string, time: number): Promise<Map<number, bigint>> {
    return ask(`read topic ${topic}`, async () =>
      toMap(await admin.fetchTopicOffsetsByTimestamp(topic, time)),
    );
  }

  function committed(topic: string, group: string): Promise<Map<number, bigint>> {
    return ask(`read topic ${topic}`, async () => {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      // -1: nothing is committed. -2: kafkajs has dropped it because it was out of range.
      return toMap((found?.partitions ?? []).filter(({ offset }) => !offset.startsWith('-')));
    });
  }

  function members(group: string): Promise<GroupMember[]> {
    return ask(`describe group ${group}`, async () => {
      const [found] = (await admin.describeGroups([group])).groups;
      return (found?.members ?? []).map(({ clientId, clientHost }) => ({
        client: clientId,
        host: clientHost.replace(/^\//, ''),
      }));
    });
  }

  function deleteBefore(topic: string, offsets: Map<number, bigint>): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    return ask(`delete from topic ${topic}`, () => admin.deleteTopicRecords({ topic, partitions }));
  }

  async function read(
    topic: string,
    ranges: OffsetRange[],
    handle: (records: TopicRecord[]) => Promise<void>,
  ): Promise<void> {
    const wanted = ranges.filter(({ from, to }) => from < to);
    if (wanted.length === 0) return;
    const groupId = `${groupPrefix}-reader-${randomBytes(6).toString('hex')}`;
    const consumer = kafka.consumer({
      groupId,
      maxWaitTimeInMs: 250,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await readRanges({ consumer, topic, ranges: wanted, handle });
    } catch (error) {
      throw explain(`read topic ${topic}`, error);
    } finally {
      await consumer.disconnect().catch(() => {});
    }
  }

  async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    const backoff = createBackoff({ longestMs: 1_000 });
    const patience = AbortSignal.timeout(COORDINATOR_MS);
    while (true) {
      try {
        await connected();
        return await question();
      } catch (error) {
        if (!isCoordinatorMissing(error) || patience.aborted) throw explain(what, error);
        await backoff.wait(patience).catch(() => {});
      }
    }
  }

  function connected(): Promise<void> {
    connecting ??= admin.connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  }

  async function close(): Promise<void> {
    await admin.disconnect().catch(() => {});
  }
}

function toMap(offsets: { partition: number; offset: string }[]): Map<number, bigint> {
  return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
}

/** The only request that kafkajs' admin client does not retry. */
function isCoordinatorMissing(error: unknown): boolean {
  return error instanceof kafkajs.KafkaJSProtocolError && COORDINATOR_MISSING.has(error.type);
}

/** An error of the handler is not an error of Kafka. */
function explain(what: string, error: unknown): unknown {
  const isKafkas = error instanceof Error && error.name.startsWith('KafkaJS');
  return isKafkas ? toKafkaError(`cannot ${what}`, error) : error;
}
