import type { Consumer, Handler } from './log.ts';

/** The three things that this project asks of a Kafka client, so that one can be exchanged for another. */
export type KafkaClient = {
  /** Resolves when all in-sync replicas have all messages. Rejects with a `KafkaError`. */
  send(topic: string, messages: KafkaMessage[]): Promise<void>;
  /** Joins `group` and hands out `topic`; see `Log.consume`. Resolves once it runs, and goes on through any outage. */
  consume(options: ConsumeOptions, handle: Handler): Promise<Consumer>;
  /** Creates the topics that are missing. With `dryRun` it only says what it would do. */
  setup(topics: TopicSpec[], options: { dryRun: boolean }): Promise<Change[]>;
  close(): Promise<void>;
};

export type KafkaMessage = { value: Buffer; headers: Record<string, string> };

export type ConsumeOptions = {
  topic: string;
  group: string;
  /** Partitions worked on at once. */
  concurrency: number;
};

export type TopicSpec = { topic: string; partitions: number; replicationFactor: number; retentionMs: number };

export type Change = { what: string; action: 'create' | 'update' | 'unchanged' };

/** Kafka did not do what it was asked. */
export class KafkaError extends Error {
  override name = 'KafkaError';
  /** Whether the same may work later. */
  readonly retriable: boolean;

  constructor(message: string, { cause, retriable }: { cause: unknown; retriable: boolean }) {
    super(message, { cause });
    this.retriable = retriable;
  }
}
