import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { createDeadLetterTopic } from '../../store/dead-letters.ts';
import type { KafkaClient } from '../../store/kafka-client.ts';
import { createKafkaLog } from '../../store/kafka-log.ts';
import { createKafkajsClient } from '../../store/kafkajs.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { batchOf, createKafkaLogs, type KafkaLogs } from './kafka-logs.ts';

jest.setTimeout(120_000);
const RUN = Date.now().toString(36);

suiteWith(['kafka'])('a Kafka topic as a log', () => {
  let kafka: KafkaPart;
  let client: KafkaClient;
  let logs: KafkaLogs;

  beforeAll(async () => {
    kafka = await startKafka();
    client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    logs = createKafkaLogs(client, RUN);
  });
  afterAll(async () => {
    await logs?.close();
    await client?.close();
    await kafka?.close();
  });

  test('comes back from what kafkajs gives up for good, and says why it does not run', async () => {
    const log = await logs.create('crash', 1);
    const admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    // kafkajs cannot read lz4, and does not call that retriable.
    await compress('lz4');
    await log.append(batchOf(['a']));
    const seen: string[] = [];
    const consumer = await logs.consume(
      log,
      'crash',
      async (batch) => void seen.push(...batch.values.map(String)),
    );
    await until(() => consumer.failure()?.includes('LZ4'), { timeoutMs: 30_000, what: 'the failure' });
    await admin.deleteTopicRecords({
      topic: logs.topic('crash').topic,
      partitions: [{ partition: 0, offset: '-1' }],
    });
    await compress('producer');
    await admin.disconnect();
    await log.append(batchOf(['b']));
    await until(() => seen.includes('b'), { timeoutMs: 60_000, what: 'the event after' });
    expect(consumer.failure()).toBeUndefined();

    function compress(name: string): Promise<unknown> {
      const configEntries = [{ name: 'compression.type', value: name }];
      const resource = {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: logs.topic('crash').topic,
        configEntries,
      };
      return admin.alterConfigs({ validateOnly: false, resources: [resource] });
    }
  });

  test('keeps dead letters with reason, origin and time', async () => {
    const spec = logs.topic('dead');
    await client.setup([spec], { dryRun: false });
    const letters = createDeadLetterTopic(client, spec.topic, () => 0);
    await letters.add([
      { value: Buffer.from('x'.repeat(2_000_000)), reason: 'too large', origin: 'topic/0/7' },
    ]);
    const sizes: number[] = [];
    const log = createKafkaLog({ client, topic: spec.topic, concurrency: 1, headers: {} });
    await logs.consume(
      log,
      'dead',
      async (batch) => void sizes.push(...batch.values.map((value) => value.length)),
    );
    await until(() => sizes.length > 0, { timeoutMs: 30_000, what: 'the letter' });
    expect(sizes).toEqual([900_000]);
  });
});
