import { expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { toTopicAdmin } from '../../../../../store/kafka/kafkajs/setup.ts';

const SPEC = { topic: 'views', partitions: 6, replicationFactor: 3, retentionMs: 3_600_000 };

test('waits for a new topic that the broker does not know yet', async () => {
  const answers = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];
  const asked = brokerThatAnswers(answers);
  await toTopicAdmin(asked).create(SPEC);
  expect(answers).toEqual([]);
});

test('does not wait on other errors', async () => {
  const asked = brokerThatAnswers(['TOPIC_AUTHORIZATION_FAILED']);
  await expect(toTopicAdmin(asked).create(SPEC)).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED');
});

/** With these errors, one after the other, and then with the topic; as kafkajs does, it refuses to wait for a topic that is unknown. */
function brokerThatAnswers(errors: string[]) {
  async function fetchTopicMetadata() {
    const type = errors.shift();
    if (type !== undefined) throw new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type }));
    return { topics: [] };
  }
  return {
    listTopics: async () => [],
    async createTopics({ waitForLeaders = true }) {
      if (waitForLeaders) await fetchTopicMetadata();
      return true;
    },
    fetchTopicMetadata,
    describeConfigs: async () => ({ resources: [], throttleTime: 0 }),
    alterConfigs: async () => {},
  };
}
