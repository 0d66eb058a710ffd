import type { Admin, BaseOptions } from '@platformatic/kafka';
import type { Change, TopicSpec } from './kafka-client.ts';

/** Numbers of the protocol: a resource that is a topic, and an operation that sets a value. */
const TOPIC = 2;
const SET = 0;
const RETENTION = 'retention.ms';

/** Creates the topics that are missing and brings the retention of the others in line; their partitions are the operator's. */
export async function setUpTopics(
  options: BaseOptions,
  topics: TopicSpec[],
  dryRun: boolean,
): Promise<Change[]> {
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin(options);
  try {
    const there = new Set(await admin.listTopics());
    const changes: Change[] = [];
    for (const spec of topics) {
      const action = there.has(spec.topic)
        ? await retention(admin, spec, dryRun)
        : await create(admin, spec, dryRun);
      changes.push({ what: `topic ${spec.topic}`, action });
    }
    return changes;
  } finally {
    await admin.close().catch(() => {});
  }
}

async function create(
  admin: Admin,
  { topic, partitions, replicationFactor, retentionMs }: TopicSpec,
  dryRun: boolean,
): Promise<Change['action']> {
  const configs = [{ name: RETENTION, value: String(retentionMs) }];
  if (!dryRun)
    await admin.createTopics({ topics: [topic], partitions, replicas: replicationFactor, configs });
  return 'create';
}

async function retention(
  admin: Admin,
  { topic, retentionMs }: TopicSpec,
  dryRun: boolean,
): Promise<Change['action']> {
  const resource = { resourceType: TOPIC, resourceName: topic } as const;
  const [found] = await admin.describeConfigs({
    resources: [{ ...resource, configurationKeys: [RETENTION] }],
  });
  const wanted = String(retentionMs);
  if (found?.configs[0]?.value === wanted) return 'unchanged';
  const configs = [{ name: RETENTION, configOperation: SET, value: wanted } as const];
  if (!dryRun) await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs }] });
  return 'update';
}
