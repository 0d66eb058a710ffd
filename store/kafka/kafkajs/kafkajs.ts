import { setTimeout as sleep } from 'node:timers/promises';
import type { ICustomPartitioner, Kafka, KafkaConfig, Message } from 'kafkajs';
import { createBackoff } from '../../../service/backoff.ts';
import type { Change, ChangeOptions } from '../../../service/change.ts';
import { reasonOf } from '../../../service/log.ts';
import type { Consumer, Handler } from '../../event-log.ts';
import type {
  ConsumeOptions,
  KafkaClient,
  KafkaConnection,
  KafkaMessage,
  Sasl,
  TopicSpec,
} from '../client.ts';
import type { KafkaError } from '../error.ts';
import { keyNumber } from '../key-partition.ts';
import { NEEDS_OF_SETUP, needsToRead, needsToWrite } from '../needs.ts';
import { createRows } from '../rows.ts';
import {
  CLOSE_MS,
  CONNECT_MS,
  FETCH_WAIT_MS,
  HEARTBEAT_MS,
  MAX_BYTES_PER_ANSWER,
  MAX_BYTES_PER_PARTITION,
  METADATA_MS,
  REQUEST_MS,
  SESSION_MS,
} from '../timing.ts';
import { setUpTopics } from '../topic-setup.ts';
import { useCodecs } from './codecs.ts';
import { startKafkajsConsumer } from './consumer.ts';
import { toKafkaError } from './failure.ts';
import { kafkajs, notPatched } from './library.ts';
import { toTopicAdmin } from './setup.ts';
import { createSocket, withoutColons } from './socket.ts';

/** How long the other members wait for a member that is processing a batch. */
const REBALANCE_MS = 20_000;
/** Retries of one request: enough to find a new leader. The caller retries longer failures. */
const ATTEMPTS = 4;
const NOT_PATCHED = 'kafkajs cannot be patched, so this does not apply:';

/** The Kafka client over kafkajs. Connects when it is first needed, so that no process fails to start because Kafka is unavailable. */
export function createKafkajsClient(connection: KafkaConnection): KafkaClient {
  const { compression = 'gzip', onWarning } = connection;
  const kafka = createKafka(connection);
  const producer = kafka.producer({
    createPartitioner: takeTurns,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MS,
    // No retries by kafkajs: it does not send again to a broker that has answered once, so it would forget, and acknowledge, a partition
    // that has moved to such a broker. When it gives up, it knows the new leaders.
    retry: { retries: 0 },
  });
  const codec = compression === 'gzip' ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None;
  const rows = createRows();
  const closing = new AbortController();
  let connecting: Promise<void> | undefined;

  return { send, consume, setup, close };

  async function send(topic: string, messages: KafkaMessage[]): Promise<void> {
    const rowOf = rows.take(messages.length);
    const placed = messages.map((message, i) => place(message, rowOf(i)));
    const backoff = createBackoff({ longestMs: 1_000 });
    for (let left = ATTEMPTS - 1; ; left--) {
      const failed = await attempt(topic, placed);
      if (failed === undefined) return;
      if (left === 0 || !passesSoon(failed) || closing.signal.aborted) throw failed;
      await backoff.wait(closing.signal).catch(() => {});
    }
  }

  /** Sends all of the messages or, as far as is known, none. */
  async function attempt(topic: string, messages: Message[]): Promise<KafkaError | undefined> {
    try {
      await connected();
      await producer.send({ topic, messages, acks: -1, compression: codec });
      return undefined;
    } catch (error) {
      return toKafkaError(`cannot write to topic ${topic}`, error, needsToWrite(topic));
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
    const { topic, group, onReset = () => {} } = options;
    const create = () => kafka.consumer(consumerOptions(group));
    const failed = (error: unknown) =>
      toKafkaError(`cannot read topic ${topic}`, error, needsToRead(topic, group));
    const onFailure = (error: unknown) => {
      const reason = reasonOf(failed(error));
      onWarning(reason, 'consumer');
      return reason;
    };
    try {
      return await startKafkajsConsumer({ ...options, create, handle, onFailure, onReset });
    } catch (error) {
      throw failed(error);
    }
  }

  async function setup(topics: TopicSpec[], options: ChangeOptions): Promise<Change[]> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await setUpTopics(toTopicAdmin(admin), topics, options);
    } catch (error) {
      throw toKafkaError('cannot set up the topics', error, NEEDS_OF_SETUP);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    await Promise.race([producer.disconnect().catch(() => {}), sleep(CLOSE_MS)]);
  }
}

function passesSoon({ failure }: KafkaError): boolean {
  return failure === 'leader' || failure === 'unreachable';
}

/** A spread: set field by field, or in a literal of all fields, a message costs up to a tenth more CPU, because kafkajs copies it again. */
function place(message: KafkaMessage, row: number): Message {
  const { key, time } = message;
  const placed = { ...message, partition: key === undefined ? row : keyNumber(key) };
  return time === undefined ? placed : { ...placed, timestamp: String(time) };
}

/** A patched kafkajs for this connection. Does not connect yet. */
export function createKafka(connection: KafkaConnection): Kafka {
  for (const missed of notPatched) connection.onWarning(`${NOT_PATCHED} ${missed}`);
  useCodecs();
  return new kafkajs.Kafka(toConfig(connection));
}

/** The connection settings in the form of kafkajs. */
function toConfig({ brokers, clientId, tls, sasl, onWarning }: KafkaConnection): KafkaConfig {
  return {
    brokers: brokers.map(withoutColons),
    clientId,
    ssl: tls === undefined ? false : tls.ca === undefined ? true : { ca: [tls.ca] },
    ...(sasl !== undefined && { sasl: toSasl(sasl) }),
    socketFactory: createSocket,
    connectionTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    // For the consumer and metadata requests; the producer retries above.
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ log }) =>
        onWarning(describe(log)),
  };
}

/** The SASL settings: kafkajs has a type for each mechanism. */
function toSasl({ mechanism, username, password }: Sasl): NonNullable<KafkaConfig['sasl']> {
  if (mechanism === 'plain') return { mechanism, username, password };
  if (mechanism === 'scram-sha-256') return { mechanism, username, password };
  return { mechanism, username, password };
}

/**
 * `partition` is a counter; partitions without a leader are skipped. For a message with a key it is the key's number, and the message
 * waits for that partition's leader.
 */
const takeTurns: ICustomPartitioner =
  () =>
  ({ partitionMetadata, message: { key, partition: row = 0 } }) => {
    const count = partitionMetadata.length;
    if (key != null) return row % count;
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
    maxBytes: MAX_BYTES_PER_ANSWER,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MS,
    // A member that fails is discarded, and another one joins.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, restartOnFailure: async () => false },
  };
}

function describe({ message, ...rest }: { message: string; [key: string]: unknown }): string {
  return typeof rest.error === 'string' ? `${message}: ${rest.error}` : message;
}
