import type { TopicReader } from './topic-reader.ts';

/** The number of records of `topic` that `group` has not committed. Rejects with a `KafkaError`. */
export async function recordsBehind(
  reader: Pick<TopicReader, 'bounds' | 'committed'>,
  topic: string,
  group: string,
): Promise<number> {
  // Read before the ends of the partitions, so that commits are not beyond them.
  const committed = await reader.committed(topic, group);
  const bounds = await reader.bounds(topic);
  return bounds.reduce((sum, { partition, from, to }) => {
    const left = to - (committed.get(partition) ?? from);
    // At most the number of existing records: Kafka may have removed unread ones.
    return sum + Math.min(Number(left), Number(to - from));
  }, 0);
}
