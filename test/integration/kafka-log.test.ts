import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { createDeadLetterTopic } from '../../store/dead-letters.ts';
import type { KafkaClient, TopicSpec } from '../../store/kafka-client.ts';
import { createKafkaLog } from '../../store/kafka-log.ts';
import { createKafkajsClient } from '../../store/kafkajs.ts';
import type { Batch, Consumer, Handler } from '../../store/log.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(120_000);
const RUN = Date.now().toString(36);

suiteWith(['kafka'])('a Kafka topic as a log', () => {
  let kafka: KafkaPart;
  let client: KafkaClient;
  const consumers: Consumer[] = [];

  beforeAll(async () => {
    kafka = await startKafka();
    client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
  });
  afterAll(async () => {
    await client?.close();
    await kafka?.close();
  });

  test('comes back from what kafkajs gives up for good, and says why it does not run', async () => {
    const log = await createLog('crash', 1);
    const admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    // kafkajs cannot read lz4, and does not call that retriable.
    await compress('lz4');
    await log.append(batchOf(['a']));
    const seen: string[] = [];
    const consumer = await consume(
      log,
      'crash',
      async (batch) => void seen.push(...batch.values.map(String)),
    );
    await until(() => consumer.failure()?.includes('LZ4'), { timeoutMs: 30_000, what: 'the failure' });
    await admin.deleteTopicRecords({
      topic: topic('crash').topic,
      partitions: [{ partition: 0, offset: '-1' }],
    });
    await compress('producer');
    await admin.disconnect();
    await log.append(batchOf(['b']));
    await until(() => seen.includes('b'), { timeoutMs: 60_000, what: 'the event after' });
    expect(consumer.failure()).toBeUndefined();

    function compress(name: string): Promise<unknown> {
      const configEntries = [{ name: 'compression.type', value: name }];
      const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic('crash').topic, configEntries };
      return admin.alterConfigs({ validateOnly: false, resources: [resource] });
    }
  });

  test('keeps dead letters with reason, origin and time', async () => {
    const spec = topic('dead');
    await client.setup([spec], { dryRun: false });
    const letters = createDeadLetterTopic(client, spec.topic, () => 0);
    await letters.add([
      { value: Buffer.from('x'.repeat(2_000_000)), reason: 'too large', origin: 'topic/0/7' },
    ]);
    const sizes: number[] = [];
    const log = createKafkaLog({ client, topic: spec.topic, concurrency: 1, headers: {} });
    await consume(
      log,
      'dead',
      async (batch) => void sizes.push(...batch.values.map((value) => value.length)),
    );
    await until(() => sizes.length > 0, { timeoutMs: 30_000, what: 'the letter' });
    expect(sizes).toEqual([900_000]);
  });

  async function createLog(name: string, partitions: number) {
    const spec = topic(name, partitions);
    await client.setup([spec], { dryRun: false });
    return createKafkaLog({
      client,
      topic: spec.topic,
      concurrency: 2,
      headers: { node: 'web-1', boot: 'b1' },
    });
  }

  async function consume(
    log: Awaited<ReturnType<typeof createLog>>,
    group: string,
    handle: Handler,
  ): Promise<Consumer> {
    const consumer = await log.consume(`${group}-${RUN}`, handle);
    consumers.push(consumer);
    return consumer;
  }

  afterAll(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close(100)));
  });
});

function topic(name: string, partitions = 1): TopicSpec {
  return { topic: `${name}-${RUN}`, partitions, replicationFactor: 1, retentionMs: 3_600_000 };
}

function batchOf(texts: string[]): Batch {
  return { source: 'test', values: texts.map((text) => Buffer.from(text)), position: String };
}
