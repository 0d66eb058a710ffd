import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Admin } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { type KafkaClient, ROW, type TopicSpec } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import type { OffsetReset } from '../../store/kafka/offset-reset.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import { FULL } from '../parts/full.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { addPartitions, createTopics, withAdmin } from '../parts/kafka-admin.ts';
import { recordsOf } from '../parts/kafka-records.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { batchOf, createKafkaLogs, type KafkaLogs } from './kafka-logs.ts';

jest.setTimeout(300_000);
/** As the protocol numbers where a setting comes from. */
const OF_THE_TOPIC = 1;
const RUN = Date.now().toString(36);
/** Long enough to commit what was handled. */
const CLOSE_MS = 60_000;
/** What a producer says of the time of its records. */
const SAID = Date.UTC(2024, 0, 1);

/** Events: enough that each of four partitions gets a row. */
const REQUEST = FULL ? 1_000 : 4 * ROW;

const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };

suiteWith(['kafka'])('what every Kafka client does', () => {
  let kafka: KafkaPart;
  beforeAll(async () => {
    kafka = await sharedKafka();
  });
  afterAll(() => kafka?.close());

  describe.each(Object.entries(CLIENTS))('%s', (which, createClient) => {
    const run = `${which}-${RUN}`;
    let client: KafkaClient;
    let logs: KafkaLogs;

    beforeAll(() => {
      client = createClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
      logs = createKafkaLogs(kafka, client, run);
    });
    afterAll(async () => {
      await logs.close();
      await client.close();
    });

    test('is set up once, and reports what it did and would do', async () => {
      const spec = logs.topic('setup');
      expect(await client.setup([spec], { dryRun: true })).toEqual([
        { what: `topic ${spec.topic}`, action: 'create' },
      ]);
      expect(await client.setup([spec], { dryRun: false })).toEqual([
        { what: `topic ${spec.topic}`, action: 'create' },
      ]);
      expect(await client.setup([spec], { dryRun: false })).toEqual([
        { what: `topic ${spec.topic}`, action: 'unchanged' },
      ]);
    });

    describe('setting up an existing topic', () => {
      const THEIRS = {
        'min.insync.replicas': '1',
        'max.message.bytes': '2097152',
        'retention.bytes': '1073741824',
        'retention.ms': '2592000000',
        'segment.ms': '86400000',
      };
      const week = 604_800_000;

      test('does not change its settings without configuration', async () => {
        const spec = await theirs('untouched');
        expect(
          await client.setup([{ ...spec, retentionMs: week }], { dryRun: false, mayLose: true }),
        ).toEqual([{ what: `topic ${spec.topic}`, action: 'unchanged' }]);
        expect(await settingsOf(spec.topic)).toEqual(THEIRS);
      });

      test('changes only the given setting, and names the old and the new value', async () => {
        const spec = {
          ...(await theirs('longer')),
          retentionMs: 2 * 2_592_000_000,
          given: ['retentionMs'],
        } as const;
        const change = {
          what: `topic ${spec.topic}`,
          action: 'update',
          settings: [{ name: 'retention.ms', from: '2592000000', to: '5184000000' }],
        };
        expect(await client.setup([spec], { dryRun: true })).toEqual([change]);
        expect(await settingsOf(spec.topic)).toEqual(THEIRS);
        expect(await client.setup([spec], { dryRun: false })).toEqual([change]);
        await changed(spec.topic);
        expect(await settingsOf(spec.topic)).toEqual({ ...THEIRS, 'retention.ms': '5184000000' });
        expect(await client.setup([spec], { dryRun: false })).toEqual([
          { what: `topic ${spec.topic}`, action: 'unchanged' },
        ]);
      });

      test('does not shorten the retention unless allowed', async () => {
        const spec = { ...(await theirs('shorter')), retentionMs: week, given: ['retentionMs'] } as const;
        const change = {
          what: `topic ${spec.topic}`,
          settings: [{ name: 'retention.ms', from: '2592000000', to: '604800000' }],
          loses: 'records older than 7 days',
        };
        expect(await client.setup([spec], { dryRun: true })).toEqual([{ ...change, action: 'update' }]);
        expect(await client.setup([spec], { dryRun: false })).toEqual([{ ...change, action: 'kept' }]);
        expect(await settingsOf(spec.topic)).toEqual(THEIRS);
        expect(await client.setup([spec], { dryRun: false, mayLose: true })).toEqual([
          { ...change, action: 'update' },
        ]);
        await changed(spec.topic);
        expect(await settingsOf(spec.topic)).toEqual({ ...THEIRS, 'retention.ms': '604800000' });
      });

      test('treats an unlimited retention as longer than any other', async () => {
        const spec = logs.topic('endless');
        await makeTopic(spec.topic, { 'retention.ms': '-1' });
        expect(await client.setup([{ ...spec, given: ['retentionMs'] }], { dryRun: false })).toEqual([
          expect.objectContaining({ action: 'kept', loses: 'records older than 1 hour' }),
        ]);
        expect(await settingsOf(spec.topic)).toEqual({ 'retention.ms': '-1' });
      });

      test('reports a different number of partitions or replicas, and does not change it', async () => {
        const spec = await theirs('partitions');
        const asked = {
          ...spec,
          partitions: 4,
          replicationFactor: 3,
          given: ['partitions', 'replicationFactor'],
        } as const;
        expect(await client.setup([asked], { dryRun: false, mayLose: true })).toEqual([
          {
            what: `topic ${spec.topic}`,
            action: 'unchanged',
            note: "it has 1 partition instead of 4, it has 1 replica instead of 3: change that with Kafka's tools",
          },
        ]);
      });

      async function theirs(name: string): Promise<TopicSpec> {
        const spec = logs.topic(name);
        await makeTopic(spec.topic, THEIRS);
        return spec;
      }

      function makeTopic(topic: string, settings: Record<string, string>): Promise<void> {
        const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
        return withAdmin(kafka, (admin) => createTopics(admin, [{ topic, numPartitions: 1, configEntries }]));
      }

      /** The controller answers for a change before each broker has heard of it. */
      async function changed(topic: string): Promise<void> {
        await until(async () => (await settingsOf(topic))['retention.ms'] !== THEIRS['retention.ms'], {
          timeoutMs: 60_000,
          what: `the other retention of ${topic}`,
        });
      }

      /** What the topic itself says, without the defaults of the broker. */
      async function settingsOf(topic: string): Promise<Record<string, string>> {
        const { resources } = await withAdmin(kafka, (admin) =>
          admin.describeConfigs({
            includeSynonyms: false,
            resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
          }),
        );
        const own =
          resources[0]?.configEntries.filter(({ configSource }) => configSource === OF_THE_TOPIC) ?? [];
        return Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]));
      }
    });

    test('reaches a broker by an IPv6 address', async () => {
      const [to = ''] = kafka.brokers;
      const proxy = createServer((socket) => {
        const broker = connect(Number(to.split(':')[1]), '127.0.0.1');
        socket
          .on('error', () => broker.destroy())
          .pipe(broker.on('error', () => socket.destroy()))
          .pipe(socket);
      });
      proxy.listen(0, '::1');
      await once(proxy, 'listening');
      const { port } = proxy.address() as AddressInfo;
      const overIpv6 = createClient({ brokers: [`[::1]:${port}`], clientId: 'ipv6', onWarning: () => {} });
      await logs.create('ipv6', 1);
      await overIpv6.send(logs.topic('ipv6').topic, [{ value: Buffer.from('a') }]);
      await overIpv6.close();
      proxy.close();
      expect(
        (await recordsOf(kafka.brokers, logs.topic('ipv6').topic)).map(({ value }) => String(value)),
      ).toEqual(['a']);
    });

    test('returns every event, over all partitions, without its headers and with a null key', async () => {
      const log = await logs.create('all', 4);
      const values = Array.from({ length: 5 * REQUEST }, (_, i) => `event ${i}`);
      for (let i = 0; i < values.length; i += REQUEST)
        await log.append(batchOf(values.slice(i, i + REQUEST)));
      // A set: where one partition refuses its part the whole request is repeated, as right after the topic was made.
      const seen = new Set<string>();
      await logs.consume(log, 'all', async (batch) => {
        for (const value of batch.values) seen.add(String(value));
      });
      await until(() => seen.size >= values.length, { timeoutMs: 60_000, what: 'all events' });
      expect([...seen].toSorted()).toEqual(values.toSorted());
    });

    test('writes records without a key, with the given headers', async () => {
      const log = await logs.create('headers', 1);
      await log.append(batchOf(['a', 'b']));
      const reader = new kafkajs.Kafka({
        brokers: kafka.brokers,
        logLevel: kafkajs.logLevel.NOTHING,
      }).consumer({
        groupId: `headers-${run}`,
        maxWaitTimeInMs: 100,
      });
      const seen: unknown[] = [];
      await reader.connect();
      await reader.subscribe({ topic: logs.topic('headers').topic, fromBeginning: true });
      await reader.run({
        eachMessage: async ({ message: { key, headers = {} } }) => {
          seen.push([key, ...Object.entries(headers).map(([name, value]) => `${name}=${value}`)]);
        },
      });
      await until(() => seen.length === 2, { timeoutMs: 60_000, what: 'the records' });
      await reader.disconnect();
      expect(seen).toEqual([
        [null, 'node=web-1', 'boot=b1', 'seq=0'],
        [null, 'node=web-1', 'boot=b1', 'seq=1'],
      ]);
    });

    test('redelivers a batch that its handler did not finish', async () => {
      const log = await logs.create('again', 1);
      await log.append(batchOf(['a', 'b']));
      const seen: string[][] = [];
      await logs.consume(log, 'again', async (batch) => {
        seen.push(batch.values.map(String));
        if (seen.length === 1) throw new Error('the index is on fire');
      });
      await until(() => seen.length > 1, { timeoutMs: 60_000, what: 'the second delivery' });
      expect(seen.slice(0, 2)).toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ]);
    });

    test('continues after acknowledged records, in another consumer of the group', async () => {
      const log = await logs.create('resume', 1);
      await log.append(batchOf(['a', 'b']));
      const first: string[] = [];
      const consumer = await logs.consume(
        log,
        'resume',
        async (batch) => void first.push(...batch.values.map(String)),
      );
      await until(() => first.length === 2, { timeoutMs: 60_000, what: 'the first two' });
      await consumer.close(CLOSE_MS);
      await log.append(batchOf(['c']));
      const second: string[] = [];
      await logs.consume(log, 'resume', async (batch) => void second.push(...batch.values.map(String)));
      await until(() => second.length > 0, { timeoutMs: 60_000, what: 'the third' });
      expect(second).toEqual(['c']);
    });

    test('aborts a batch in progress when it is closed, and the batch is redelivered', async () => {
      const log = await logs.create('abort', 1);
      await log.append(batchOf(['a']));
      let aborted = false;
      let began = false;
      const consumer = await logs.consume(log, 'abort', (_, { signal }) => {
        began = true;
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          });
        });
      });
      await until(() => began, { timeoutMs: 60_000, what: 'the batch' });
      await consumer.close(100);
      expect(aborted).toBe(true);
      const seen: string[] = [];
      await logs.consume(log, 'abort', async (batch) => void seen.push(...batch.values.map(String)));
      await until(() => seen.length > 0, { timeoutMs: 60_000, what: 'the second delivery' });
    });

    test.each([
      ['CreateTime', (time: number) => time === SAID],
      ['LogAppendTime', (time: number) => Math.abs(time - Date.now()) < 3_600_000],
    ])('gives each record the one time that it has in a topic with %s', async (type, isRight) => {
      const { topic } = logs.topic(`times-${type}`);
      await withAdmin(kafka, (admin) =>
        createTopics(admin, [
          {
            topic,
            configEntries: [
              { name: 'message.timestamp.type', value: type },
              // Else the next turn of Kafka's retention deletes what is of that time.
              { name: 'retention.ms', value: '-1' },
            ],
          },
        ]),
      );
      const producer = new kafkajs.Kafka({
        brokers: kafka.brokers,
        logLevel: kafkajs.logLevel.NOTHING,
      }).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
      await producer.connect();
      const messages = ['a', 'b'].map((value) => ({ value, timestamp: String(SAID) }));
      await producer.send({ topic, messages });
      await producer.disconnect();
      const times: (number | undefined)[] = [];
      const log = createKafkaLog({ client, topic, concurrency: 1, headers: {} });
      await logs.consume(log, `times-${type}`, async ({ values, time }) => {
        times.push(...values.map((_, i) => time?.(i)));
      });
      await until(() => times.length >= 2, { timeoutMs: 60_000, what: 'the records' });
      // One that comes again has the same time.
      expect(times.filter((time) => time === undefined || !isRight(time))).toEqual([]);
    });

    test('does not create a topic by writing to it, and reports that it is missing', async () => {
      const log = createKafkaLog({ client, topic: `nowhere-${run}`, concurrency: 1, headers: {} });
      await expect(log.append(batchOf(['a']))).rejects.toMatchObject({
        message: `cannot write to topic nowhere-${run}`,
        failure: 'topic_missing',
        retriable: true,
      });
    });

    test('rejects a batch that is too large, and says so', async () => {
      const log = await logs.create('large', 1);
      const random = randomBytes(1_500_000).toString('base64');
      await expect(log.append(batchOf([random]))).rejects.toMatchObject({
        failure: 'too_large',
        retriable: false,
      });
      await log.append(batchOf(['small']));
    });

    test('writes rows that stay together, over all partitions', async () => {
      const log = await logs.create('rows', 3);
      await log.append(batchOf(Array.from({ length: 3 * ROW }, (_, i) => String(i))));
      const partitions = new Map<string, Set<number>>();
      await logs.consume(log, 'rows', async ({ source, values }) => {
        partitions.set(source, new Set([...(partitions.get(source) ?? []), ...values.map(Number)]));
      });
      const arrived = () => [...partitions.values()].flatMap((row) => [...row]).length;
      await until(() => arrived() === 3 * ROW, { timeoutMs: 60_000, what: 'all rows' });
      const rows = [...partitions.values()].map((row) => [...row]).sort(([a = -1], [b = -1]) => a - b);
      expect(rows).toEqual(
        [0, ROW, 2 * ROW].map((first) => Array.from({ length: ROW }, (_, i) => first + i)),
      );
    });

    test('continues where the other client has stopped, in the same group', async () => {
      const log = await logs.create('switch', 1);
      await log.append(batchOf(['a', 'b']));
      const first: string[] = [];
      const consumer = await logs.consume(
        log,
        'switch',
        async ({ values }) => void first.push(...values.map(String)),
      );
      await until(() => first.length === 2, { timeoutMs: 60_000, what: 'the first two' });
      await consumer.close(CLOSE_MS);
      await log.append(batchOf(['c', 'd']));
      const other = (which === 'kafkajs' ? createPlatformaticClient : createKafkajsClient)({
        brokers: kafka.brokers,
        clientId: 'other',
        onWarning: () => {},
      });
      const second: string[] = [];
      const theirs = createKafkaLog({
        client: other,
        topic: logs.topic('switch').topic,
        concurrency: 1,
        headers: {},
      });
      await logs.consume(theirs, 'switch', async ({ values }) => void second.push(...values.map(String)));
      await until(() => second.length >= 2, { timeoutMs: 60_000, what: 'the next two' });
      expect(second).toEqual(['c', 'd']);
      await other.close();
    });

    test('continues at the oldest record if Kafka has removed the next one', async () => {
      const log = await logs.create('removed', 1);
      await log.append(batchOf(['a']));
      const first: string[] = [];
      const consumer = await logs.consume(
        log,
        'removed',
        async ({ values }) => void first.push(...values.map(String)),
      );
      await until(() => first.length === 1, { timeoutMs: 60_000, what: 'the first' });
      await consumer.close(CLOSE_MS);
      await log.append(batchOf(['b', 'c']));
      const admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
      // It has to have seen the topic.
      await admin.fetchTopicOffsets(logs.topic('removed').topic);
      const partitions = [{ partition: 0, offset: '2' }];
      await admin.deleteTopicRecords({ topic: logs.topic('removed').topic, partitions });
      await admin.disconnect();
      const second: string[] = [];
      const resets: OffsetReset[] = [];
      const told = createKafkaLog({
        client,
        topic: logs.topic('removed').topic,
        concurrency: 1,
        headers: {},
        onReset: (reset) => void resets.push(reset),
      });
      await logs.consume(told, 'removed', async ({ values }) => void second.push(...values.map(String)));
      await until(() => second.length > 0, { timeoutMs: 60_000, what: 'what is left' });
      expect(second).toEqual(['c']);
      expect(resets).toEqual([{ partition: 0, from: 1n, to: 2n }]);
    });

    test('starts at the oldest record if the topic ends before the committed offset, and says so', async () => {
      const { topic } = logs.topic('ends-before');
      const log = await logs.create('ends-before', 1);
      await log.append(batchOf(['a']));
      const admin = new Admin({ clientId: 'test', bootstrapBrokers: kafka.brokers });
      await admin.alterConsumerGroupOffsets({
        groupId: `ends-before-${run}`,
        topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 700n }] }],
      });
      await admin.close();
      const seen: string[] = [];
      const resets: OffsetReset[] = [];
      const onReset = (reset: OffsetReset) => void resets.push(reset);
      const told = createKafkaLog({ client, topic, concurrency: 1, headers: {}, onReset });
      await logs.consume(told, 'ends-before', async ({ values }) => void seen.push(...values.map(String)));
      await until(() => seen.length > 0, { timeoutMs: 60_000, what: 'the record' });
      expect(seen).toEqual(['a']);
      expect(resets).toEqual([{ partition: 0, from: 700n, to: 0n }]);
    });

    test('reads partitions that are added while it runs', async () => {
      const { topic } = logs.topic('grows');
      const log = await logs.create('grows', 1);
      const sources = new Set<string>();
      await logs.consume(log, 'grows', async ({ source }) => void sources.add(source));
      await addPartitions(kafka, { topic, count: 3 });
      const isWhole = async () => {
        await log.append(batchOf(Array.from({ length: 3 * ROW }, String)));
        return sources.size === 3;
      };
      await until(isWhole, { timeoutMs: 60_000, everyMs: 500, what: 'all three partitions' });
    });

    test('is not ready while its group also reads another topic, names it, and resumes when that member has left', async () => {
      const log = await logs.create('mine', 2);
      const theirs = await logs.create('theirs', 2);
      const seen = new Set<string>();
      const mine = await logs.consume(log, 'shared', async ({ values }) => {
        for (const value of values) seen.add(String(value));
      });
      const other = await logs.consume(theirs, 'shared', async () => {});
      const { topic } = logs.topic('theirs');
      await until(() => mine.failure()?.includes(topic), { timeoutMs: 60_000, what: 'the failure' });
      expect(mine.failure()).toContain('kafka.group');
      await until(() => other.failure()?.includes(logs.topic('mine').topic), {
        timeoutMs: 60_000,
        what: 'the failure of the other',
      });
      await other.close(0);
      await log.append(batchOf(Array.from({ length: 2 * ROW }, (_, i) => String(i))));
      await until(() => seen.size === 2 * ROW && mine.failure() === undefined, {
        timeoutMs: 60_000,
        what: 'all of its events',
        detail: () => `${seen.size} events, ${mine.failure()}`,
      });
    });
  });
});
