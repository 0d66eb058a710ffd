import kafkajs, { type Admin } from 'kafkajs';
import { RETENTION, type TopicAdmin } from './topic-setup.ts';

const { ConfigResourceTypes } = kafkajs;

/** An admin client of kafkajs as setting up topics needs it; its `alterConfigs` must be incremental. */
export function toTopicAdmin(admin: Admin): TopicAdmin {
  return {
    list: () => admin.listTopics(),

    async create({ topic, partitions: numPartitions, replicationFactor, retentionMs }) {
      const configEntries = [{ name: RETENTION, value: String(retentionMs) }];
      const topics = [{ topic, numPartitions, replicationFactor, configEntries }];
      await admin.createTopics({ waitForLeaders: true, topics });
    },

    async describe(topic, configNames) {
      const [{ topics }, { resources }] = await Promise.all([
        admin.fetchTopicMetadata({ topics: [topic] }),
        admin.describeConfigs({ includeSynonyms: false, resources: [{ ...resource(topic), configNames }] }),
      ]);
      const entries = resources[0]?.configEntries ?? [];
      const partitions = topics[0]?.partitions ?? [];
      return {
        partitions: partitions.length,
        replicas: partitions[0]?.replicas.length ?? 0,
        settings: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
      };
    },

    async set(topic, settings) {
      const configEntries = settings.map(({ name, to: value }) => ({ name, value }));
      await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource(topic), configEntries }] });
    },
  };
}

function resource(name: string) {
  return { type: ConfigResourceTypes.TOPIC, name };
}
