import type { Change, ChangeOptions } from '../../service/change.ts';
import type { Consumer, Handler } from '../event-log.ts';
import type { OffsetReset } from './offset-reset.ts';

/** The few things that this project asks of a Kafka client, so that one can be exchanged for another. */
export type KafkaClient = {
  /**
   * Resolves when all in-sync replicas have all messages. They lie in rows of `ROW` that follow each other in one partition
   * and are written there at once; the next row is in another partition. Rejects with a `KafkaError`.
   */
  send(topic: string, messages: KafkaMessage[]): Promise<void>;
  /** Joins `group` and consumes `topic`; see `EventLog.consume`. Resolves once it runs, and continues through any outage. */
  consume(options: ConsumeOptions, handle: Handler): Promise<Consumer>;
  /** See `setUpTopics`. */
  setup(topics: TopicSpec[], options: ChangeOptions): Promise<Change[]>;
  close(): Promise<void>;
};

/**
 * Messages in a row: many enough that a partition is not sent crumbs, few enough that all partitions get their share of a
 * request, and that kafkajs, whose cost grows with the square of them, does not mind.
 */
export const ROW = 128;

export type KafkaMessage = {
  /** Messages with the same key are in one partition, in the order in which they are sent. Not in a row. */
  key?: Buffer;
  value: Buffer;
  headers?: Record<string, Buffer | string>;
  /** Time of the record, ms since 1970. Default: now. */
  time?: number | undefined;
};

/** What every client needs to be told. */
export type KafkaConnection = {
  /** `host:port` each. */
  brokers: string[];
  clientId: string;
  /** Undefined: without TLS. `ca`: PEM of the CA that signed the brokers' certificates; without it, the CAs that Node knows. */
  tls?: { ca?: string | undefined } | undefined;
  sasl?: Sasl | undefined;
  /** gzip by default. */
  compression?: 'gzip' | 'none' | undefined;
  /**
   * Called with errors of background work; it repeats itself while a broker is unavailable. What the library says hides nothing of
   * what our consumer makes of it: `who` tells them apart, by default the library.
   */
  onWarning: (message: string, who?: 'client' | 'consumer') => void;
};

export type Sasl = {
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  username: string;
  password: string;
};

export type ConsumeOptions = {
  topic: string;
  group: string;
  /** Partitions worked on at once. */
  concurrency: number;
  /** Called when the group did not continue at the offset that it had reached. */
  onReset?: ((reset: OffsetReset) => void) | undefined;
};

export type TopicSpec = {
  topic: string;
  partitions: number;
  replicationFactor: number;
  retentionMs: number;
  /** What else a new topic is set to, by Kafka's names. */
  settings?: Readonly<Record<string, string>>;
  /** Which of these were given, and so also apply to an existing topic. */
  given?: readonly ('partitions' | 'replicationFactor' | 'retentionMs')[];
};
