import { Kafka, logLevel } from 'kafkajs';
import { withAdmin } from './kafka-admin.ts';
import { until } from './until.ts';

const READ_MS = 120_000;

/** A record as text, and its time in ms since 1970. */
export type KafkaRecord = {
  key: string;
  partition: number;
  value: string;
  headers: Record<string, string>;
  time: number;
};

/** All current records of a topic. */
export async function recordsOf(brokers: string[], topic: string): Promise<KafkaRecord[]> {
  const ends = await withAdmin({ brokers }, (admin) => admin.fetchTopicOffsets(topic));
  /** What is written meanwhile is left out. */
  const highs = new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
  const count = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  const found: KafkaRecord[] = [];
  if (count === 0) return found;
  /** Of each partition: a consumer that was away for too long joins again, and gets what it had. */
  const next = new Map<number, number>();
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  // It disconnects only after the response to the last fetch.
  const consumer = kafka.consumer({ groupId: `test-${Math.random()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message, partition }) => {
      const offset = Number(message.offset);
      if (offset < (next.get(partition) ?? 0) || offset >= (highs.get(partition) ?? 0)) return;
      next.set(partition, offset + 1);
      const headers = Object.entries(message.headers ?? {}).map(([key, value]) => [key, String(value)]);
      found.push({
        key: String(message.key),
        partition,
        value: String(message.value),
        headers: Object.fromEntries(headers),
        time: Number(message.timestamp),
      });
    },
  });
  const arrived = () => found.length >= count;
  try {
    await until(arrived, { timeoutMs: READ_MS, what: `${count} records of ${topic}` });
  } finally {
    await consumer.disconnect();
  }
  return found;
}
