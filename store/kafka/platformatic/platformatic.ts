import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { BaseOptions, MessageToProduce, Producer } from '@platformatic/kafka';
import type { Change, ChangeOptions } from '../../../service/change.ts';
import { reasonOf } from '../../../service/log.ts';
import type { Consumer, Handler } from '../../event-log.ts';
import type { ConsumeOptions, KafkaClient, KafkaConnection, KafkaMessage, TopicSpec } from '../client.ts';
import { keyNumber } from '../key-partition.ts';
import { NEEDS_OF_SETUP, needsToRead, needsToWrite } from '../needs.ts';
import { createRows } from '../rows.ts';
import {
  CLOSE_MS,
  CONNECT_MS,
  FETCH_WAIT_MS,
  HEARTBEAT_MS,
  MAX_BYTES_PER_PARTITION,
  METADATA_MS,
  REQUEST_MS,
  SESSION_MS,
} from '../timing.ts';
import { setUpTopics } from '../topic-setup.ts';
import { startPlatformaticConsumer } from './consumer.ts';
import { toKafkaError } from './failure.ts';
import { checkBatches } from './fetch-parser.ts';
import { refuseUnknownBrokers } from './metadata.ts';
import { toTopicAdmin } from './setup.ts';

type Outgoing = MessageToProduce<Buffer, Buffer, Buffer, Buffer>;

/** -1: all replicas in sync. */
const ALL = -1;

/** The Kafka client over @platformatic/kafka. Loads the library, which takes its time and 40 MB, and connects when it is first needed. */
export function createPlatformaticClient(connection: KafkaConnection): KafkaClient {
  const { compression = 'gzip', onWarning } = connection;
  const options = toOptions(connection);
  let producer: Promise<Producer> | undefined;
  const rows = createRows();
  return { send, consume, setup, close };

  async function send(topic: string, messages: KafkaMessage[]): Promise<void> {
    const rowOf = rows.take(messages.length);
    const outgoing = messages.map((message, i) => toOutgoing(topic, message, rowOf(i)));
    producer ??= createProducer();
    const current = producer;
    try {
      const one = await current;
      // Here: of the producer's own options the library heeds `acks` only for an idempotent one, and asks the leader alone.
      await one.send({ messages: outgoing, acks: ALL });
    } catch (error) {
      const failed = toKafkaError(`cannot write to topic ${topic}`, error, needsToWrite(topic));
      if (failed.failure === 'other' || failed.failure === 'unreachable') giveUp(current);
      throw failed;
    }
  }

  /** What does not answer is not asked again: the next request has a new connection. */
  function giveUp(one: Promise<Producer>): void {
    if (producer === one) producer = undefined;
    one.then((old) => old.close()).catch(() => {});
  }

  async function createProducer(): Promise<Producer> {
    const { compressionsAlgorithms, Producer } = await import('@platformatic/kafka');
    Object.assign(compressionsAlgorithms.gzip, { compressSync: compressFast });
    const made = new Producer({ ...options, compression });
    refuseUnknownBrokers(made.connections);
    return made;
  }

  async function consume(what: ConsumeOptions, handle: Handler): Promise<Consumer> {
    const { topic, group, onReset = () => {} } = what;
    const { Admin, Consumer: GroupConsumer } = await loadPlatformatic();
    const create = () =>
      new GroupConsumer({
        ...options,
        groupId: group,
        autocommit: false,
        // The library's own, a minute, is longer than it waits for the answer.
        sessionTimeout: SESSION_MS,
        rebalanceTimeout: SESSION_MS,
        heartbeatInterval: HEARTBEAT_MS,
        maxWaitTime: FETCH_WAIT_MS,
        maxBytes: MAX_BYTES_PER_PARTITION,
      });
    const failed = (error: unknown) =>
      toKafkaError(`cannot read topic ${topic}`, error, needsToRead(topic, group));
    const onFailure = (error: unknown) => {
      const reason = reasonOf(failed(error));
      onWarning(reason, 'consumer');
      return reason;
    };
    try {
      return await startPlatformaticConsumer({ ...what, create, handle, topicsOfGroup, onFailure, onReset });
    } catch (error) {
      throw failed(error);
    }

    async function topicsOfGroup(): Promise<string[]> {
      const admin = new Admin(options);
      try {
        const found = (await admin.describeGroups({ groups: [group] })).get(group);
        return [...(found?.members.values() ?? [])].flatMap(({ metadata }) => metadata?.topics ?? []);
      } finally {
        await admin.close().catch(() => {});
      }
    }
  }

  async function setup(topics: TopicSpec[], how: ChangeOptions): Promise<Change[]> {
    const { Admin } = await import('@platformatic/kafka');
    const admin = new Admin(options);
    try {
      return await setUpTopics(toTopicAdmin(admin), topics, how);
    } catch (error) {
      throw toKafkaError('cannot set up the topics', error, NEEDS_OF_SETUP);
    } finally {
      await admin.close().catch(() => {});
    }
  }

  async function close(): Promise<void> {
    const closed = producer?.then((one) => one.close()).catch(() => {});
    await Promise.race([closed, sleep(CLOSE_MS)]);
  }
}

/** The library, with what this project changes inside it. */
export async function loadPlatformatic(): Promise<typeof import('@platformatic/kafka')> {
  const library = await import('@platformatic/kafka');
  checkBatches(library);
  return library;
}

/** The connection as the library wants it. */
export function toOptions({ brokers, clientId, tls, sasl }: KafkaConnection): BaseOptions {
  return {
    clientId,
    bootstrapBrokers: brokers.map(toBroker),
    connectTimeout: CONNECT_MS,
    timeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    // Enough to learn of a new leader. What lasts longer is retried by us, with our back-off and our log rate.
    retries: 2,
    retryDelay: 200,
    autocreateTopics: false,
    metadataMaxAge: METADATA_MS,
    ...(tls !== undefined && {
      tls: tls.ca === undefined ? {} : { ca: tls.ca },
      // An address is no name that TLS could ask for.
      tlsServerName: brokers.every((broker) => isIP(toBroker(broker).host) === 0),
    }),
    ...(sasl !== undefined && {
      sasl: { ...sasl, mechanism: MECHANISMS[sasl.mechanism] },
    }),
  };
}

/** As a text the library would split `[::1]:9092` at its first colon. */
function toBroker(broker: string): { host: string; port: number } {
  const colon = broker.lastIndexOf(':');
  return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) };
}

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** The library has no option for the level, and takes one that costs twice the time for a tenth fewer bytes. */
function compressFast(data: Buffer | { buffer: Buffer }): Buffer {
  return gzipSync(Buffer.isBuffer(data) ? data : data.buffer, { level: 1 });
}

/** Rows are counted without end: the library takes a partition modulo the partitions that there are. */
function toOutgoing(topic: string, { key, value, headers, time }: KafkaMessage, row: number): Outgoing {
  const outgoing: Outgoing = { topic, partition: key === undefined ? row : keyNumber(key), value };
  if (key !== undefined) outgoing.key = key;
  if (time !== undefined) outgoing.timestamp = BigInt(time);
  if (headers === undefined) return outgoing;
  const pairs = Object.entries(headers).map(([name, content]) => [bytesOf(name), toBuffer(content)] as const);
  outgoing.headers = new Map(pairs);
  return outgoing;
}

const names = new Map<string, Buffer>();

/** The bytes of a header's name, made once: there are only a few names. */
function bytesOf(name: string): Buffer {
  const bytes = names.get(name) ?? Buffer.from(name);
  names.set(name, bytes);
  return bytes;
}

function toBuffer(content: Buffer | string): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : content;
}
