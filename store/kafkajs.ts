import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type ICustomPartitioner, type KafkaConfig } from 'kafkajs';
import { reasonOf } from '../service/log.ts';
import {
  type Change,
  type ConsumeOptions,
  type KafkaClient,
  type KafkaConnection,
  type KafkaMessage,
  ROW,
  type Sasl,
  type TopicSpec,
} from './kafka-client.ts';
import { startKafkajsConsumer } from './kafkajs-consumer.ts';
import { toKafkaError } from './kafkajs-failure.ts';
import { useFastGzip } from './kafkajs-gzip.ts';
import { setUpTopics } from './kafkajs-setup.ts';
import { createSocket } from './kafkajs-socket.ts';
import { calmTimers } from './kafkajs-timer.ts';
import type { Consumer, Handler } from './log.ts';

// Node finds only some of the names of this CommonJS package for itself.
const { CompressionTypes, Kafka, logLevel } = kafkajs;

/** A consumer that was killed is missed after this long: the next one begins within ten seconds. */
const SESSION_MS = 8_000;
/** How long the others wait for a member that has a batch in hand. */
const REBALANCE_MS = 20_000;
const HEARTBEAT_MS = 2_500;
/** How long the broker may wait for more before it answers a fetch. */
const FETCH_WAIT_MS = 250;
/** Compressed, some thousands of events; more in memory brings nothing. */
const MAX_BYTES_PER_PARTITION = 256 * 1024;
const CLOSE_MS = 500;

/** The Kafka client over kafkajs. Connects when it is first needed, so that nobody fails to start because Kafka is away. */
export function createKafkajsClient(connection: KafkaConnection): KafkaClient {
  calmTimers();
  useFastGzip();
  const { compression = 'gzip', onWarning } = connection;
  const kafka = new Kafka(toConfig(connection));
  const producer = kafka.producer({ createPartitioner: takeTurns, allowAutoTopicCreation: false });
  const codec = compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  let rows = Math.floor(Math.random() * 1000);
  let connecting: Promise<void> | undefined;

  return { send, consume, setup, close };

  async function send(topic: string, messages: KafkaMessage[]): Promise<void> {
    const first = rows;
    rows += Math.ceil(messages.length / ROW);
    const placed = messages.map((message, i) => ({ ...message, partition: first + Math.floor(i / ROW) }));
    try {
      await connected();
      await producer.send({ topic, messages: placed, acks: -1, compression: codec });
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

  async function setup(topics: TopicSpec[], options: { dryRun: boolean }): Promise<Change[]> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await setUpTopics(admin, topics, options);
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

/** The connection as kafkajs wants it. */
export function toConfig({ brokers, clientId, tls, sasl, onWarning }: KafkaConnection): KafkaConfig {
  return {
    brokers,
    clientId,
    ssl: tls === undefined ? false : tls.ca === undefined ? true : { ca: [tls.ca] },
    ...(sasl !== undefined && { sasl: toSasl(sasl) }),
    socketFactory: createSocket,
    connectionTimeout: 2_000,
    requestTimeout: 15_000,
    // Enough to learn of a new leader. What lasts longer is retried by us, with our back-off and our log rate.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log }) =>
        onWarning(describe(log)),
  };
}

/** kafkajs tells its mechanisms apart by type. */
function toSasl({ mechanism, username, password }: Sasl): NonNullable<KafkaConfig['sasl']> {
  if (mechanism === 'plain') return { mechanism, username, password };
  if (mechanism === 'scram-sha-256') return { mechanism, username, password };
  return { mechanism, username, password };
}

/** `partition` counts rows without end; partitions that nobody leads now are passed over. */
const takeTurns: ICustomPartitioner =
  () =>
  ({ partitionMetadata, message: { partition: row = 0 } }) => {
    const count = partitionMetadata.length;
    for (let i = 0; i < count; i++) {
      const candidate = partitionMetadata[(row + i) % count];
      if (candidate !== undefined && candidate.leader >= 0) return candidate.partitionId;
    }
    return partitionMetadata[row % count]?.partitionId ?? 0;
  };

function consumerOptions(groupId: string) {
  return {
    groupId,
    sessionTimeout: SESSION_MS,
    rebalanceTimeout: REBALANCE_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    allowAutoTopicCreation: false,
    // For ever: a broker that is away comes back.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, restartOnFailure: async () => true },
  };
}

function describe({ message, ...rest }: { message: string; [key: string]: unknown }): string {
  return typeof rest.error === 'string' ? `${message}: ${rest.error}` : message;
}
