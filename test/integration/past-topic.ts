import kafkajs from 'kafkajs';
import type { HotItemEvent } from '../../event/event.ts';
import { untilOpen } from '../parts/kafka-admin.ts';
import { type KafkaRecord, recordsOf } from '../parts/kafka-records.ts';
import type { SinkSettings } from './sink-topic.ts';

export type PastTopic = {
  /** Writes records as a sidecar does, each to the next partition, as if that had been a second after the view. */
  write(records: PastMessage[]): Promise<void>;
  /** Everything that is in a topic: values and headers. */
  recordsOf(topic: string): Promise<KafkaRecord[]>;
  admin: ReturnType<InstanceType<typeof kafkajs.Kafka>['admin']>;
  close(): Promise<void>;
};

export type PastMessage = {
  value: string | HotItemEvent;
  seq?: number;
  /** Of the record, ms since 1970; -1 for none. */
  time?: number;
  partition?: number;
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
  await untilOpen(admin, [topic]);
  let partition = 0;
  return {
    async write(records) {
      const messages = records.map(({ value, seq, time, partition: chosen }) => ({
        value: typeof value === 'string' ? value : JSON.stringify(value),
        partition: chosen ?? partition++ % PARTITIONS,
        timestamp: String(time ?? (typeof value === 'string' ? Date.now() - AGO_MS : value.time + 1_000)),
        headers: seq === undefined ? {} : { node: 'web-1', boot: 'b1', seq: String(seq) },
      }));
      await producer.send({ topic, messages });
    },
    recordsOf: (name) => recordsOf(brokers, name),
    admin,
    async close() {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}
