import type { Undecodable } from '../undecodable.ts';
import type { KafkaConnection } from './client.ts';

/** Read access to a topic for history: it leaves no trace in the group of the sinks. Everything rejects with a `KafkaError`. */
export type TopicReader = {
  /** The first and last offset of each partition. */
  bounds(topic: string): Promise<OffsetRange[]>;
  /** By partition, the first offset whose record is not older than `time`; the end if there is none. */
  offsetsAt(topic: string, time: number): Promise<Map<number, bigint>>;
  /** By partition, the committed offset of `group`; missing for a partition without one. */
  committed(topic: string, group: string): Promise<Map<number, bigint>>;
  /** The current members of `group`; none if there is no such group. */
  members(group: string): Promise<GroupMember[]>;
  /** Passes the records of the ranges, in order per partition. Ends with the first `handle` that rejects. */
  read(
    topic: string,
    ranges: OffsetRange[],
    handle: (records: TopicRecord[]) => Promise<void>,
  ): Promise<void>;
  /** Deletes records before the offsets. */
  deleteBefore(topic: string, offsets: Map<number, bigint>): Promise<void>;
  close(): Promise<void>;
};

export type GroupMember = { client: string; host: string };

export type TopicReaderOptions = {
  connection: KafkaConnection;
  /** Prefix of the groups that readers join: a permission for this prefix is sufficient. */
  groupPrefix: string;
};

/** A record of a topic with its metadata. */
export type TopicRecord = {
  partition: number;
  offset: string;
  /** Kafka's timestamp of the record, ms since 1970. */
  time: number;
  /** Empty for a tombstone. */
  value: Buffer;
  headers: Record<string, string>;
  /** Set if it represents a batch that cannot be decoded; then it has no value. */
  undecodable?: Undecodable;
};

/** Of one partition: the offsets from `from` to `to - 1`. */
export type OffsetRange = { partition: number; from: bigint; to: bigint };

/** Whether any offset of the record is in the range. */
export function isInside(
  { from, to }: Pick<OffsetRange, 'from' | 'to'>,
  { offset, undecodable }: TopicRecord,
): boolean {
  const { first, last } = undecodable ?? { first: BigInt(offset), last: BigInt(offset) };
  return last >= from && first < to;
}
