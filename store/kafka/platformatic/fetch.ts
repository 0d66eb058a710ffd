import type { Consumer } from '@platformatic/kafka';
import { ATTRIBUTE } from '../record-batch.ts';

/** A fetched record. */
export type FetchedRecord = {
  offset: bigint;
  /** Kafka's timestamp of the record, ms since 1970; negative if it has none. */
  timestamp: bigint;
  value: Buffer | undefined;
  headers: [Buffer | null, Buffer | null][];
};

export type Fetched = {
  records: FetchedRecord[];
  /** Where to continue: after the last batch, even if it had no records for us; never before `offset`. */
  next: bigint;
};

const UNKNOWN_EPOCH = -1;

/** Fetches from a partition at `offset`, without a group. Rejects as the library does, also for offsets that do not exist. */
export async function fetchRecords(
  consumer: Consumer,
  {
    topic,
    partition,
    offset,
    maxBytes,
  }: { topic: string; partition: number; offset: bigint; maxBytes: number },
): Promise<Fetched> {
  const metadata = await consumer.metadata({ topics: [topic] });
  const found = metadata.topics.get(topic);
  const node = found?.partitions[partition]?.leader;
  if (found === undefined || node === undefined) throw new Error(`Unknown topic ${topic}`);
  const wanted = {
    partition,
    fetchOffset: offset,
    partitionMaxBytes: maxBytes,
    currentLeaderEpoch: UNKNOWN_EPOCH,
    lastFetchedEpoch: UNKNOWN_EPOCH,
  };
  const topics = [{ topicId: found.id, partitions: [wanted] }];
  const { responses } = await consumer.fetch({ node, topics }).catch((error: unknown) => {
    // Another broker may lead the partition now: refresh the metadata before the next attempt.
    consumer.clearMetadata();
    throw error;
  });
  const batches = responses[0]?.partitions[0]?.records ?? [];
  const last = batches.at(-1);
  const records = batches
    .filter(({ attributes }) => (attributes & ATTRIBUTE.control) === 0)
    .flatMap(({ firstOffset, firstTimestamp, records: some }) =>
      some.map(({ offsetDelta, timestampDelta, value, headers }) => ({
        offset: firstOffset + BigInt(offsetDelta),
        timestamp: firstTimestamp + timestampDelta,
        value: value ?? undefined,
        headers,
      })),
    )
    .filter((record) => record.offset >= offset);
  const behind = last === undefined ? offset : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
  return { records, next: behind > offset ? behind : offset };
}
