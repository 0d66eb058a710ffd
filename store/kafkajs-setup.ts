import kafkajs, { type Admin } from 'kafkajs';
import type { Change, TopicSpec } from './kafka-client.ts';

const { ConfigResourceTypes } = kafkajs;

/** Creates the topics that are missing and brings the retention of the others in line; their partitions are the operator's. */
export async function setUpTopics(
  admin: Admin,
  topics: TopicSpec[],
  { dryRun }: { dryRun: boolean },
): Promise<Change[]> {
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
}

function toTopicConfig({ topic, partitions, replicationFactor, retentionMs }: TopicSpec) {
  return {
    topic,
    numPartitions: partitions,
    replicationFactor,
    configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
  };
}

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
