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

suiteWith(['kafka'], { stops: true })('a Kafka topic as a log', () => {
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

  test('is set up once, and says what it did and what it would do', async () => {
    const spec = topic('setup');
    expect(await client.setup([spec], { dryRun: true })).toEqual([
      { what: `topic ${spec.topic}`, action: 'create' },
    ]);
    expect(await client.setup([spec], { dryRun: false })).toEqual([
      { what: `topic ${spec.topic}`, action: 'create' },
    ]);
    expect(await client.setup([spec], { dryRun: false })).toEqual([
      { what: `topic ${spec.topic}`, action: 'unchanged' },
    ]);
    const longer = { ...spec, retentionMs: 2 * spec.retentionMs };
    expect(await client.setup([longer], { dryRun: false })).toEqual([
      { what: `topic ${spec.topic}`, action: 'update' },
    ]);
    expect(await client.setup([longer], { dryRun: false })).toEqual([
      { what: `topic ${spec.topic}`, action: 'unchanged' },
    ]);
  });

  test('gives back every event that it took, over all partitions, with its headers unseen and its key null', async () => {
    const log = await createLog('all', 4);
    const values = Array.from({ length: 5_000 }, (_, i) => `event ${i}`);
    for (let i = 0; i < values.length; i += 1_000) await log.append(batchOf(values.slice(i, i + 1_000)));
    const seen: string[] = [];
    await consume(log, 'all', async (batch) => void seen.push(...batch.values.map(String)));
    await until(() => seen.length >= values.length, { timeoutMs: 30_000, what: 'all events' });
    expect(seen.toSorted()).toEqual(values.toSorted());
  });

  test('hands out a batch again that its handler did not finish', async () => {
    const log = await createLog('again', 1);
    await log.append(batchOf(['a', 'b']));
    const seen: string[][] = [];
    await consume(log, 'again', async (batch) => {
      seen.push(batch.values.map(String));
      if (seen.length === 1) throw new Error('the index is on fire');
    });
    await until(() => seen.length > 1, { timeoutMs: 30_000, what: 'the second delivery' });
    expect(seen.slice(0, 2)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('goes on after what was acknowledged, in another consumer of the group', async () => {
    const log = await createLog('resume', 1);
    await log.append(batchOf(['a', 'b']));
    const first: string[] = [];
    const consumer = await consume(
      log,
      'resume',
      async (batch) => void first.push(...batch.values.map(String)),
    );
    await until(() => first.length === 2, { timeoutMs: 30_000, what: 'the first two' });
    await consumer.close(5_000);
    await log.append(batchOf(['c']));
    const second: string[] = [];
    await consume(log, 'resume', async (batch) => void second.push(...batch.values.map(String)));
    await until(() => second.length > 0, { timeoutMs: 30_000, what: 'the third' });
    expect(second).toEqual(['c']);
  });

  test('gives up a batch in hand when it is closed, and has it delivered again', async () => {
    const log = await createLog('abort', 1);
    await log.append(batchOf(['a']));
    let aborted = false;
    let began = false;
    const consumer = await consume(log, 'abort', (_, { signal }) => {
      began = true;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason);
        });
      });
    });
    await until(() => began, { timeoutMs: 30_000, what: 'the batch' });
    await consumer.close(100);
    expect(aborted).toBe(true);
    const seen: string[] = [];
    await consume(log, 'abort', async (batch) => void seen.push(...batch.values.map(String)));
    await until(() => seen.length > 0, { timeoutMs: 30_000, what: 'the second delivery' });
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

  test('does not create a topic by writing to it', async () => {
    const log = createKafkaLog({ client, topic: `nowhere-${RUN}`, concurrency: 1, headers: {} });
    await expect(log.append(batchOf(['a']))).rejects.toThrow(`cannot write to topic nowhere-${RUN}`);
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

  test('loses nothing and needs no restart when the broker goes away and comes back', async () => {
    const log = await createLog('outage', 2);
    const seen: string[] = [];
    await consume(log, 'outage', async (batch) => void seen.push(...batch.values.map(String)));
    await log.append(batchOf(['before']));
    await until(() => seen.includes('before'), { timeoutMs: 30_000, what: 'the event before' });
    await kafka.stop();
    await expect(log.append(batchOf(['during']))).rejects.toThrow('cannot write to topic');
    await kafka.start();
    await until(
      () =>
        log.append(batchOf(['after'])).then(
          () => true,
          () => false,
        ),
      {
        timeoutMs: 60_000,
        what: 'Kafka to take an event',
      },
    );
    await until(() => seen.includes('after'), { timeoutMs: 60_000, what: 'the event after' });
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
