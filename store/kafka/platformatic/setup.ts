import type { Admin } from '@platformatic/kafka';
import { newSettings, type TopicAdmin } from '../topic-setup.ts';

/** Protocol numbers: a topic resource, and an operation that sets a value. */
const TOPIC = 2;
const SET = 0;

/** The part of @platformatic/kafka's admin client that setting up topics needs. */
export function toTopicAdmin(admin: Admin): TopicAdmin {
  return {
    list: () => admin.listTopics(),

    async create(spec) {
      const { topic, partitions, replicationFactor: replicas } = spec;
      await admin.createTopics({ topics: [topic], partitions, replicas, configs: newSettings(spec) });
    },

    async describe(topic, configurationKeys) {
      const [metadata, [found]] = await Promise.all([
        admin.metadata({ topics: [topic] }),
        admin.describeConfigs({ resources: [{ ...resource(topic), configurationKeys }] }),
      ]);
      const shape = metadata.topics.get(topic);
      return {
        partitions: shape?.partitionsCount ?? 0,
        replicas: shape?.partitions[0]?.replicas.length ?? 0,
        settings: Object.fromEntries(
          (found?.configs ?? []).map(({ name, value }) => [name, value ?? undefined]),
        ),
      };
    },

    async set(topic, settings) {
      const configs = settings.map(({ name, to: value }) => ({ name, configOperation: SET, value }) as const);
      await admin.incrementalAlterConfigs({ resources: [{ ...resource(topic), configs }] });
    },
  };
}

function resource(resourceName: string) {
  return { resourceType: TOPIC, resourceName } as const;
}
