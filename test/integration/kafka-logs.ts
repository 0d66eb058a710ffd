import type { Batch, Consumer, EventLog, Handler } from '../../store/event-log.ts';
import type { KafkaClient, TopicSpec } from '../../store/kafka/client.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import { untilOpen, withAdmin } from '../parts/kafka-admin.ts';
import { until } from '../parts/until.ts';

const JOIN_MS = 60_000;

/** Topics of one run of a suite, as logs. */
export type KafkaLogs = {
  topic(name: string, partitions?: number): TopicSpec;
  /** Makes the topic, and waits until it is open. */
  create(name: string, partitions: number): Promise<EventLog>;
  /** In a group of this run. */
  consume(log: EventLog, group: string, handle: Handler): Promise<Consumer>;
  /** Closes the consumers. */
  close(): Promise<void>;
};

/** `run`: what sets the names of its topics and groups apart from those of other runs. */
export function createKafkaLogs(kafka: { brokers: string[] }, client: KafkaClient, run: string): KafkaLogs {
  const consumers: Consumer[] = [];
  return {
    topic,
    async create(name, partitions) {
      const spec = topic(name, partitions);
      await client.setup([spec], { dryRun: false });
      await withAdmin(kafka, (admin) => untilOpen(admin, [spec.topic]));
      return createKafkaLog({
        client,
        topic: spec.topic,
        concurrency: 2,
        headers: { node: 'web-1', boot: 'b1' },
      });
    },
    async consume(log, group, handle) {
      const consumer = await joined(() => log.consume(`${group}-${run}`, handle));
      consumers.push(consumer);
      return consumer;
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close(100)));
    },
  };

  function topic(name: string, partitions = 1): TopicSpec {
    return { topic: `${name}-${run}`, partitions, replicationFactor: 1, retentionMs: 3_600_000 };
  }
}

/** A Kafka that has just started may be loading its groups for some seconds: a sink joins again then. */
export function joined(consume: () => Promise<Consumer>): Promise<Consumer> {
  return until(() => consume().catch(ifNotLoading), { timeoutMs: JOIN_MS, what: 'the group to be joined' });
}

function ifNotLoading(error: unknown): undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error && /coordinator is (?:loading|not available)/.test(cause.message)))
    throw error;
}

export function batchOf(texts: string[]): Batch {
  return { source: 'test', values: texts.map((text) => Buffer.from(text)), position: String };
}
