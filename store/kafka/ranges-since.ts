import { SKEW_MS } from '../history.ts';
import type { OffsetRange, TopicReader, TopicRecord } from './topic-reader.ts';

export type RangesSinceOptions = {
  reader: TopicReader;
  topic: string;
  /** Of events, ms since 1970; 0 for all. */
  time: number;
  /** What the partitions hold. */
  there: OffsetRange[];
};

/** Which part of each partition is to be read: up to its end, because a record of tomorrow may be stored before one of today. */
export async function rangesSince({
  reader,
  topic,
  time,
  there,
}: RangesSinceOptions): Promise<OffsetRange[]> {
  if (time === 0) return there;
  const least = time - SKEW_MS;
  const first = await reader.offsetsAt(topic, Math.max(0, least));
  const found = there.map((bounds) => {
    const at = first.get(bounds.partition) ?? bounds.from;
    return { ...bounds, from: smaller(larger(bounds.from, at), bounds.to) };
  });
  const doubtful = await doubtfulPartitions();
  return found.map((range, i) => (doubtful.has(range.partition) ? (there[i] ?? range) : range));

  /**
   * Partitions in which Kafka's answer is not to be believed: the last record that is passed over has no time, or one that the answer
   * says is not there (a broker answers so about records that are due to be deleted).
   */
  async function doubtfulPartitions(): Promise<Set<number>> {
    const passedOver = found.filter(({ from }, i) => from > (there[i]?.from ?? from));
    const lasts = passedOver.map(({ partition, from }) => ({ partition, from: from - 1n, to: from }));
    const doubted = new Set<number>();
    await reader.read(topic, lasts, async (records) => {
      for (const record of records)
        if (!hasTime(record) || record.time >= least) doubted.add(record.partition);
    });
    return doubted;
  }
}

/** Kafka's word for no time is -1. */
export function hasTime({ time }: TopicRecord): boolean {
  return time > 0;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
