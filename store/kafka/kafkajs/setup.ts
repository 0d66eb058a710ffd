import type { Admin } from 'kafkajs';
import { createBackoff } from '../../../service/backoff.ts';
import { newSettings, type TopicAdmin } from '../topic-setup.ts';
import { kafkajs } from './library.ts';

/** How long a new topic may be unknown to a broker, or without a leader. */
const LEADERS_MS = 30_000;
const NOT_YET = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

type Asked = Pick<
  Admin,
  'listTopics' | 'createTopics' | 'fetchTopicMetadata' | 'describeConfigs' | 'alterConfigs'
>;

/** The part of kafkajs' admin client that topic setup uses; its `alterConfigs` must be incremental. */
export function toTopicAdmin(admin: Asked): TopicAdmin {
  return {
    list: () => admin.listTopics(),

    async create(spec) {
      const { topic, partitions: numPartitions, replicationFactor } = spec;
      const configEntries = newSettings(spec);
      const topics = [{ topic, numPartitions, replicationFactor, configEntries }];
      // Its own wait fails if the broker does not know the topic yet.
      await admin.createTopics({ waitForLeaders: false, topics });
      await waitForLeaders(admin, topic);
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

async function waitForLeaders(admin: Asked, topic: string): Promise<void> {
  const backoff = createBackoff({ longestMs: 500 });
  const late = AbortSignal.timeout(LEADERS_MS);
  const isKnown = () =>
    admin.fetchTopicMetadata({ topics: [topic] }).then(
      () => true,
      (error: unknown) => {
        if (late.aborted || !isNotYet(error)) throw error;
        return false;
      },
    );
  while (!(await isKnown())) await backoff.wait(late).catch(() => {});
}

/** Also searches the causes of the error with the number of retries. */
function isNotYet(error: unknown): boolean {
  if (error instanceof kafkajs.KafkaJSProtocolError) return NOT_YET.has(error.type);
  return error instanceof kafkajs.KafkaJSError && isNotYet(error.cause);
}

function resource(name: string) {
  return { type: kafkajs.ConfigResourceTypes.TOPIC, name };
}
