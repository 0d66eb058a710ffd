import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import type { KafkaClient } from '../../store/kafka-client.ts';
import { createKafkajsClient } from '../../store/kafkajs.ts';
import { createPlatformaticClient } from '../../store/platformatic.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(180_000);

const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
const PATIENCE = { timeoutMs: 90_000, everyMs: 200 };
const RETENTION = { retentionMs: 3_600_000 };

// Three brokers take their time: only in the full run.
const suite = process.env.HOTITEM_TEST_FULL === '1' ? suiteWith(['kafka'], { stops: true }) : describe.skip;

suite('a cluster of three brokers', () => {
  let kafka: KafkaPart;
  let admin: Admin;

  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
    admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await kafka?.close();
  });

  describe.each(Object.entries(CLIENTS))('%s', (which, createClient) => {
    let client: KafkaClient;
    beforeAll(() => {
      client = createClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    });
    afterAll(() => client.close());

    test('finds the new leader when the old one is killed', async () => {
      const topic = `leader-${which}`;
      await client.setup([{ ...RETENTION, topic, partitions: 1, replicationFactor: 3 }], { dryRun: false });
      await client.send(topic, [{ value: Buffer.from('before') }]);
      const leader = await leaderOf(topic);
      await kafka.nodes[leader - 1]?.kill();
      await until(() => takes(topic), { ...PATIENCE, what: 'the new leader' });
      expect(await leaderOf(topic)).not.toBe(leader);
      await kafka.nodes[leader - 1]?.start();
    });

    test('says that too few replicas are in sync, until they are again', async () => {
      const topic = `replicas-${which}`;
      const configEntries = [{ name: 'min.insync.replicas', value: '2' }];
      await admin.createTopics({
        topics: [{ topic, numPartitions: 1, replicationFactor: 2, configEntries }],
        waitForLeaders: true,
      });
      await client.send(topic, [{ value: Buffer.from('before') }]);
      const [found] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions ?? [];
      const follower = found?.replicas.find((id) => id !== found.leader) ?? 0;
      await kafka.nodes[follower - 1]?.kill();
      await until(async () => (await failureOn(topic)) === 'not_enough_replicas', {
        ...PATIENCE,
        what: 'the refusal',
      });
      await kafka.nodes[follower - 1]?.start();
      await until(() => takes(topic), { ...PATIENCE, what: 'the replica to be in sync' });
    });

    async function takes(topic: string): Promise<boolean> {
      return (await failureOn(topic)) === undefined;
    }

    async function failureOn(topic: string): Promise<unknown> {
      return client.send(topic, [{ value: Buffer.from('again') }]).then(
        () => undefined,
        ({ failure }: { failure: unknown }) => failure,
      );
    }
  });

  async function leaderOf(topic: string): Promise<number> {
    return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions[0]?.leader ?? 0;
  }
});
