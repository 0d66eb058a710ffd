import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { reasonOf } from '../service/log.ts';
import {
  type Change,
  type ConsumeOptions,
  type KafkaClient,
  KafkaError,
  type TopicSpec,
} from './kafka-client.ts';
import { startKafkajsConsumer } from './kafkajs-consumer.ts';
import type { Consumer, Handler } from './log.ts';

// Node finds only some of the names of this CommonJS package for itself.
const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel, Partitioners } = kafkajs;

export type KafkajsOptions = {
  brokers: string[];
  clientId: string;
  /** Told what kafkajs would print; it repeats itself while a broker is away. */
  onWarning: (message: string) => void;
};

/** A consumer that was killed is missed after this long; a shorter one would suffer from pauses of the broker. */
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_500;
/** How long the broker may wait for more before it answers a fetch. */
const FETCH_WAIT_MS = 250;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
const CLOSE_MS = 500;

/** The Kafka client over kafkajs. Connects when it is first needed, so that nobody fails to start because Kafka is away. */
export function createKafkajsClient({ brokers, clientId, onWarning }: KafkajsOptions): KafkaClient {
  const kafka = new Kafka({
    brokers,
    clientId,
    connectionTimeout: 2_000,
    requestTimeout: 15_000,
    // Enough to learn of a new leader. What lasts longer is retried by us, with our back-off and our log rate.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log }) =>
        onWarning(describe(log)),
  });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  let connecting: Promise<void> | undefined;

  return { send, consume, setup, close };

  async function send(
    topic: string,
    messages: { value: Buffer; headers: Record<string, string> }[],
  ): Promise<void> {
    try {
      await connected();
      await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
    } catch (error) {
      throw toKafkaError(`cannot write to topic ${topic}`, error);
    }
  }

  function connected(): Promise<void> {
    connecting ??= producer.connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  }

  async function consume(options: ConsumeOptions, handle: Handler): Promise<Consumer> {
    const { topic, group, concurrency } = options;
    const create = () => kafka.consumer(consumerOptions(group));
    const failed = (error: unknown) => toKafkaError(`cannot read topic ${topic}`, error);
    const onFailure = (error: unknown) => onWarning(reasonOf(failed(error)));
    try {
      return await startKafkajsConsumer({ create, topic, concurrency, handle, onFailure });
    } catch (error) {
      throw failed(error);
    }
  }

  async function setup(topics: TopicSpec[], { dryRun }: { dryRun: boolean }): Promise<Change[]> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      const there = new Set(await admin.listTopics());
      const missing = topics.filter(({ topic }) => !there.has(topic));
      if (!dryRun && missing.length > 0) {
        await admin.createTopics({ waitForLeaders: true, topics: missing.map(toTopicConfig) });
      }
      return await Promise.all(
        topics.map(async (spec): Promise<Change> => {
          const what = `topic ${spec.topic}`;
          return { what, action: there.has(spec.topic) ? await retention(admin, spec, dryRun) : 'create' };
        }),
      );
    } catch (error) {
      throw toKafkaError('cannot set up the topics', error);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  /** Does not wait for a broker that hangs: what it did not acknowledge is sent again by the next process. */
  async function close(): Promise<void> {
    await Promise.race([producer.disconnect().catch(() => {}), sleep(CLOSE_MS)]);
  }
}

function consumerOptions(groupId: string) {
  return {
    groupId,
    sessionTimeout: SESSION_MS,
    rebalanceTimeout: 2 * SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    allowAutoTopicCreation: false,
    // For ever: a broker that is away comes back.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, restartOnFailure: async () => true },
  };
}

function toTopicConfig({ topic, partitions, replicationFactor, retentionMs }: TopicSpec) {
  return {
    topic,
    numPartitions: partitions,
    replicationFactor,
    configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
  };
}

type Admin = ReturnType<InstanceType<typeof Kafka>['admin']>;

/** Brings the retention of an existing topic in line; its partitions are the operator's. */
async function retention(admin: Admin, spec: TopicSpec, dryRun: boolean): Promise<Change['action']> {
  const resource = { type: ConfigResourceTypes.TOPIC, name: spec.topic };
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ ...resource, configNames: ['retention.ms'] }],
  });
  const wanted = String(spec.retentionMs);
  if (described.resources[0]?.configEntries[0]?.configValue === wanted) return 'unchanged';
  if (!dryRun) {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: wanted }] }],
    });
  }
  return 'update';
}

function describe({ message, ...rest }: { message: string; [key: string]: unknown }): string {
  return typeof rest.error === 'string' ? `${message}: ${rest.error}` : message;
}

function toKafkaError(message: string, cause: unknown): KafkaError {
  const retriable = !(
    typeof cause === 'object' &&
    cause !== null &&
    'retriable' in cause &&
    cause.retriable === false
  );
  return new KafkaError(message, { cause, retriable });
}
