import { withAdmin } from '../parts/kafka-admin.ts';
import { until } from '../parts/until.ts';
import type { Stage } from './stage.ts';
import { watchTopic } from './topic-records.ts';

/** Before that, it is unknown what a sink has not read. */
export async function untilAllCommitted({ kafka, topic, group }: Stage): Promise<void> {
  const areAll = () =>
    withAdmin(kafka, async (admin) => {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      return found?.partitions.every(({ offset }) => Number(offset) > 0) ?? false;
    });
  await until(areAll, { timeoutMs: 60_000, everyMs: 250, what: 'the sink to commit in each partition' });
}

/**
 * Moves the start of each partition as retention does, beyond what the stopped sink has read: half of the rest is removed. Records
 * the events before that, because the topic no longer has them afterwards.
 */
export async function passSink({ kafka, topic, group, removed }: Stage): Promise<void> {
  const begins = await withAdmin(kafka, async (admin) => {
    const ends = await admin.fetchTopicOffsets(topic);
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const committed = new Map(
      found?.partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]),
    );
    return ends.map(({ partition, high }) => {
      const first = committed.get(partition) ?? 0;
      return { partition, first, begin: first + Math.ceil((Number(high) - first) / 2) };
    });
  });
  // Read after the new start offsets are chosen, so that it includes everything that will be removed: views arrive meanwhile.
  const there = await watchTopic(kafka.brokers, topic).records();
  await withAdmin(kafka, async (admin) => {
    // Makes kafkajs look up the leaders, which deleteTopicRecords does not do.
    await admin.fetchTopicOffsets(topic);
    const partitions = begins.map(({ partition, begin }) => ({ partition, offset: String(begin) }));
    await admin.deleteTopicRecords({ topic, partitions });
  });
  for (const { partition, first, begin } of begins) {
    if (first < begin) removed.unread.push({ partition, first, last: begin - 1 });
    removed.records.push(
      ...there.filter((record) => record.partition === partition && record.offset < begin),
    );
  }
}
