import kafkajs from 'kafkajs';
import type { HotItemEvent } from '../../event/event.ts';
import { setupElasticsearch } from '../../store/elasticsearch/setup.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import { untilOpen } from '../parts/kafka-admin.ts';
import { type KafkaRecord, recordsOf } from '../parts/kafka-records.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, type ServiceOptions, startService } from '../parts/service.ts';
import { countOf } from './documents.ts';

export type SinkSettings = Record<string, string>;

/** Settings of sinks with a topic, a group and a data stream of their own. */
export function sinkSettings(name: string, parts: { brokers: string[]; node: string }): SinkSettings {
  return {
    KAFKA_BROKERS: parts.brokers.join(','),
    ELASTICSEARCH_NODE: parts.node,
    HOTITEM_KAFKA_TOPIC: `events-${name}`,
    HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `events-${name}.dead`,
    HOTITEM_KAFKA_GROUP: `sink-${name}`,
    HOTITEM_ELASTICSEARCH_DATA_STREAM: `hot_item_${name}`,
  };
}

/** The topics of these settings and, where they name an Elasticsearch, the data stream of events: without a start of `hotitem setup`. */
export async function makeTopics(settings: SinkSettings): Promise<void> {
  const {
    KAFKA_BROKERS = '',
    ELASTICSEARCH_NODE: node,
    HOTITEM_KAFKA_TOPIC: topic = '',
    HOTITEM_KAFKA_DEAD_LETTER_TOPIC: deadTopic = '',
    HOTITEM_ELASTICSEARCH_DATA_STREAM: dataStream = '',
  } = settings;
  const brokers = KAFKA_BROKERS.split(',');
  const client = createKafkajsClient({ brokers, clientId: 'test', onWarning: () => {} });
  const common = { replicationFactor: 1, retentionMs: 86_400_000 };
  const topics = [
    { ...common, topic, partitions: 6 },
    { ...common, topic: deadTopic, partitions: 1 },
  ];
  try {
    await client.setup(topics, { dryRun: false });
  } finally {
    await client.close();
  }
  if (node) await setupElasticsearch({ node, requestTimeoutMs: 30_000, dataStream, dryRun: false });
}

/** `hotitem sink` as a process. `waitFor`: `/livez` for one that is not ready at once. */
export async function startSinkService(
  settings: SinkSettings,
  logFile: string,
  waitFor: ServiceOptions['waitFor'] = '/readyz',
): Promise<Service> {
  const [admin] = await freePorts(1);
  const listen = `127.0.0.1:${admin}`;
  return startService({
    args: ['sink'],
    env: { ...settings, HOTITEM_ADMIN_SINK_LISTEN: listen },
    admin: listen,
    logFile,
    waitFor,
  });
}

export type SinkTopic = {
  /** Writes events, spread over all partitions. */
  append(events: HotItemEvent[]): Promise<void>;
  /** Writes records as they are, to partition 0. */
  appendRaw(records: { value: Buffer | null; timestamp?: string }[]): Promise<void>;
  /** What a partition ends with, and what the group has committed of it. */
  offsets(): Promise<{ partition: number; end: number; committed: number }[]>;
  /** Members of the group, by what the broker calls them. */
  members(): Promise<string[]>;
  deadLetters(): Promise<KafkaRecord[]>;
  close(): Promise<void>;
};

/** The topic of these settings as tests use it. */
export async function openSinkTopic(settings: SinkSettings): Promise<SinkTopic> {
  const brokers = (settings.KAFKA_BROKERS ?? '').split(',');
  const topic = settings.HOTITEM_KAFKA_TOPIC ?? '';
  const groupId = settings.HOTITEM_KAFKA_GROUP ?? '';
  const client = createKafkajsClient({ brokers, clientId: 'test', onWarning: () => {} });
  const log = createKafkaLog({ client, topic, concurrency: 1, headers: {} });
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
  await untilOpen(admin, [topic]);
  return { append, appendRaw, offsets, members, deadLetters, close };

  async function append(events: HotItemEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += 500) {
      const values = events.slice(from, from + 500).map((event) => Buffer.from(JSON.stringify(event)));
      await log.append({ source: 'test', values, position: String });
    }
  }

  async function appendRaw(records: { value: Buffer | null; timestamp?: string }[]): Promise<void> {
    await producer.send({ topic, messages: records.map((record) => ({ ...record, partition: 0 })) });
  }

  async function offsets() {
    const [ends, [group]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.map(({ partition, high }) => ({
      partition,
      end: Number(high),
      committed: Math.max(0, committed.get(partition) ?? 0),
    }));
  }

  async function members(): Promise<string[]> {
    const { groups } = await admin.describeGroups([groupId]);
    return groups.flatMap((group) => group.members.map(({ memberId }) => memberId)).sort();
  }

  function deadLetters(): Promise<KafkaRecord[]> {
    return recordsOf(brokers, settings.HOTITEM_KAFKA_DEAD_LETTER_TOPIC ?? '');
  }

  async function close(): Promise<void> {
    await Promise.all([admin.disconnect(), producer.disconnect(), client.close()]);
  }
}

/** Different events, `count` of them. */
export function someEvents(count: number, name = 'e'): HotItemEvent[] {
  const time = Date.now();
  return Array.from({ length: count }, (_, i) => ({
    v: 1,
    id: `${name}-${i}`,
    time: time + (i % 1000),
    uri: `/web/item/${i % 300}.html`,
    item: String(i % 300),
    ip: '203.0.113.7',
    ua: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    node: 'web-1',
  }));
}

/** How many documents can be found, all of them: refreshed first. */
export async function countDocuments({
  ELASTICSEARCH_NODE: node = '',
  HOTITEM_ELASTICSEARCH_DATA_STREAM: dataStream = '',
}: SinkSettings): Promise<number> {
  await fetch(`${node}/${dataStream}/_refresh`, { method: 'POST' });
  return countOf(node, dataStream);
}
