import kafkajs from 'kafkajs';
import type { HotItemEvent } from '../../event/event.ts';
import type { SinkSettings } from './sink-topic.ts';

export type PastTopic = {
  /** Writes records as a sidecar does, each to the next partition, as if that had been a second after the view. */
  write(records: { value: string | HotItemEvent; seq?: number }[]): Promise<void>;
  /** Everything that is in a topic: values and headers. */
  recordsOf(topic: string): Promise<{ value: string; headers: Record<string, string> }[]>;
  admin: ReturnType<InstanceType<typeof kafkajs.Kafka>['admin']>;
  close(): Promise<void>;
};

const AGO_MS = 5 * 60_000;
const PARTITIONS = 6;

/** The topic of these settings with a past: its records have the time that they say, not that of the test. */
export async function openPastTopic(settings: SinkSettings): Promise<PastTopic> {
  const brokers = (settings.KAFKA_BROKERS ?? '').split(',');
  const topic = settings.HOTITEM_KAFKA_TOPIC ?? '';
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
  let partition = 0;
  return {
    async write(records) {
      const messages = records.map(({ value, seq }) => ({
        value: typeof value === 'string' ? value : JSON.stringify(value),
        partition: partition++ % PARTITIONS,
        timestamp: String(typeof value === 'string' ? Date.now() - AGO_MS : value.time + 1_000),
        headers: seq === undefined ? {} : { node: 'web-1', boot: 'b1', seq: String(seq) },
      }));
      await producer.send({ topic, messages });
    },
    recordsOf,
    admin,
    async close() {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };

  async function recordsOf(name: string): Promise<{ value: string; headers: Record<string, string> }[]> {
    const ends = await admin.fetchTopicOffsets(name);
    const count = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    const found: { value: string; headers: Record<string, string> }[] = [];
    if (count === 0) return found;
    const consumer = kafka.consumer({ groupId: `test-${Math.random()}` });
    await consumer.connect();
    await consumer.subscribe({ topic: name, fromBeginning: true });
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message }) => {
          const headers = Object.entries(message.headers ?? {}).map(([key, value]) => [key, String(value)]);
          found.push({ value: String(message.value), headers: Object.fromEntries(headers) });
          if (found.length === count) resolve();
        },
      });
    });
    await consumer.disconnect();
    return found;
  }
}
