import { type AclEntry, type Admin, type ITopicConfig, Kafka, logLevel } from 'kafkajs';
import { until } from './until.ts';

/** How long a broker may take to apply what the controller has answered for. */
const BROKER_MS = 60_000;

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

/** Creates topics, and waits until they are open. */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  await untilOpen(
    admin,
    topics.map(({ topic }) => topic),
  );
}

/**
 * Waits until each partition of these topics accepts records. The controller answers before a broker knows of a new topic, and the broker
 * names the leaders before these have the partitions. kafkajs then sends a whole request again of which one partition was rejected: the
 * records of the others are in the topic twice.
 */
export async function untilOpen(admin: Admin, topics: string[]): Promise<void> {
  for (const topic of topics) {
    const isLed = async () => {
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [topic] });
      return (
        found.length > 0 && found.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
      );
    };
    // This is answered by the leaders. Before that it is not asked: kafkajs takes its time to ask again.
    const isOpen = async () => (await isLed()) && (await admin.fetchTopicOffsets(topic)).length > 0;
    const what = `topic ${topic} to be open`;
    await until(() => isOpen().catch(() => false), { timeoutMs: BROKER_MS, what });
  }
}

/** Gives a topic more partitions, and waits until they accept records too. */
export async function addPartitions(
  kafka: { brokers: string[] },
  { topic, count }: { topic: string; count: number },
): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    const areKnown = async () =>
      (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length === count;
    await until(areKnown, { timeoutMs: BROKER_MS, what: `${count} partitions of ${topic}` });
  });
  // Another client: that one may remember the former partitions.
  await withAdmin(kafka, (admin) => untilOpen(admin, [topic]));
}

/** Whether a group has committed all records that a topic has now. A sink counts a batch before that. */
export async function isCommitted(admin: Admin, topic: string, groupId: string): Promise<boolean> {
  const [ends, [group]] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ]);
  const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return ends.every(({ partition, high }) => Math.max(0, committed.get(partition) ?? 0) === Number(high));
}

/** Creates permissions, and waits until the broker knows them: the controller answers before. */
export async function createAcls(admin: Admin, acl: AclEntry[]): Promise<void> {
  await admin.createAcls({ acl });
  for (const entry of acl)
    await until(() => isKnown(admin, entry), { timeoutMs: BROKER_MS, what: 'a new permission' });
}

/** Deletes a permission, and waits until the broker knows it no longer. */
export async function deleteAcl(admin: Admin, entry: AclEntry): Promise<void> {
  await admin.deleteAcls({ filters: [entry] });
  const isGone = async () => !(await isKnown(admin, entry));
  await until(isGone, { timeoutMs: BROKER_MS, what: 'a permission to be deleted' });
}

async function isKnown(admin: Admin, entry: AclEntry): Promise<boolean> {
  return (await admin.describeAcls(entry)).resources.length > 0;
}
