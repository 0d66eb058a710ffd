import { type Admin, type ITopicConfig, Kafka, logLevel } from 'kafkajs';
import { until } from './until.ts';

/** Calls a Kafka with an admin client of kafkajs, which is connected only for this call. */
export async function withAdmin<Value>(
  { brokers }: { brokers: string[] },
  ask: (admin: Admin) => Promise<Value>,
): Promise<Value> {
  const admin = new Kafka({ brokers, clientId: 'hotitem-test', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

/**
 * Creates topics, and waits until each partition has a leader. The controller answers before every broker knows a topic, and
 * kafkajs' own `waitForLeaders` fails if the broker does not know it.
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  const led = async () => {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: names }).catch(() => ({ topics: [] }));
    const partitions = found.flatMap((topic) => topic.partitions);
    return found.length === names.length && partitions.every(({ leader }) => leader >= 0);
  };
  await until(led, { timeoutMs: 60_000, what: `leaders of ${names.join(', ')}` });
}
