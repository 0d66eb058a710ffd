import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Admin } from 'kafkajs';
import { createMetrics, createRegistry } from '../../service/metrics.ts';
import { createOutage } from '../../service/outage.ts';
import { type ForwarderLimits, startForwarder } from '../../sidecar/forward.ts';
import { SIDECAR_METRICS } from '../../sidecar/metrics.ts';
import { createDeadLetterTopic } from '../../store/dead-letters/dead-letters.ts';
import type { KafkaConnection } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { kafkajs } from '../../store/kafka/kafkajs/library.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import { openSpool } from '../../store/spool/spool.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { createTopics } from '../parts/kafka-admin.ts';
import { type SecuredKafka, sharedSecuredKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(300_000);

const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
const LIMITS = { batchEvents: 100, batchBytes: 512 * 1024, requests: 2 };
const PATIENCE = { timeoutMs: 60_000 };

suiteWith(['kafka'], { stops: true })('the forwarder', () => {
  let kafka: SecuredKafka;
  let admin: Admin;
  let topics = 0;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    kafka = await sharedSecuredKafka();
    admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await admin?.disconnect();
    await kafka?.close();
  });

  describe.each(Object.entries(CLIENTS))('over %s', (_, createClient) => {
    test('moves all events, each once, several requests at a time', async () => {
      const topic = await makeTopic({});
      const { spool, books, failures } = await start({ topic });
      await spool.appendLines(Array.from({ length: 2_500 }, (_, i) => JSON.stringify({ i })));
      await until(() => books().forwarded === 2_500, { ...PATIENCE, what: 'all events' });
      expect((await valuesOf(topic)).map((text) => JSON.parse(text).i).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 2_500 }, (_, i) => i),
      );
      expect(failures).toEqual([]);
    });

    test('splits requests that are too large, and gives up only an event that is too large by itself', async () => {
      const topic = await makeTopic({ 'max.message.bytes': '20000' });
      const { spool, books, deadTopic } = await start({ topic });
      const small = Array.from({ length: 100 }, () => incompressible(1_000));
      const large = incompressible(40_000);
      await spool.appendLines([...small.slice(0, 50), large, ...small.slice(50)]);
      await until(() => books().waiting === 0, { ...PATIENCE, what: 'the spool to be empty' });
      expect(books()).toEqual({ forwarded: 100, dead: { too_large: 1 }, waiting: 0 });
      expect((await valuesOf(topic)).toSorted()).toEqual(small.toSorted());
      expect(await lettersOf(deadTopic)).toEqual([
        { value: large, reason: expect.stringContaining('larger'), origin: 'spool/50' },
      ]);
    });

    test('truncates a dead letter until its topic accepts it, and says so', async () => {
      const topic = await makeTopic({ 'max.message.bytes': '5000' });
      const { spool, books, deadTopic } = await start({ topic, dead: { 'max.message.bytes': '6000' } });
      const large = incompressible(40_000);
      await spool.appendLines([large]);
      await until(() => books().dead.too_large === 1, { ...PATIENCE, what: 'the dead letter' });
      const [letter] = await lettersOf(deadTopic);
      expect(letter?.reason).toMatch(/, cut from 400\d\d to \d+ bytes$/);
      expect(large.startsWith(letter?.value ?? 'nothing')).toBe(true);
    });

    test('reports where it is stalled while a dead letter cannot be written, and resumes afterwards', async () => {
      const topic = await makeTopic({ 'max.message.bytes': '5000' });
      const { spool, books, deadTopic, failure } = await start({
        topic,
        dead: { 'max.message.bytes': '60' },
      });
      await spool.appendLines([incompressible(40_000)]);
      await until(() => failure() !== undefined, { ...PATIENCE, what: 'it to be stalled' });
      expect(failure()).toMatch(
        /^it is stalled in spool at 0: dead letters cannot be stored: .*: see max.message.bytes of the topic$/,
      );
      const configEntries = [{ name: 'max.message.bytes', value: '6000' }];
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: deadTopic, configEntries }],
      });
      await until(() => books().dead.too_large === 1, { ...PATIENCE, what: 'the dead letter' });
      expect(failure()).toBeUndefined();
    });

    test('gives up an event that the topic rejects permanently', async () => {
      // A compacted topic refuses a record without a key.
      const topic = await makeTopic({ 'cleanup.policy': 'compact' });
      const { spool, books, deadTopic } = await start({ topic });
      await spool.appendLines(['{"a":1}', '{"a":2}']);
      await until(() => books().dead.invalid === 2, { ...PATIENCE, what: 'the dead letters' });
      expect(books()).toEqual({ forwarded: 0, dead: { invalid: 2 }, waiting: 0 });
      expect((await lettersOf(deadTopic)).map(({ value }) => value)).toEqual(['{"a":1}', '{"a":2}']);
    });

    test('waits for a topic that rejects every event, and does not make a dead letter of each', async () => {
      const topic = await makeTopic({ 'cleanup.policy': 'compact' });
      const { spool, books, deadTopic, failures } = await start({ topic });
      const lines = Array.from({ length: 60 }, (_, i) => JSON.stringify({ i }));
      await spool.appendLines(lines.slice(0, 50));
      const isWaiting = () => failures.some((one) => one.includes('invalid: Kafka does not accept events'));
      await until(isWaiting, { ...PATIENCE, what: 'it to wait' });
      expect(books()).toEqual({ forwarded: 0, dead: {}, waiting: 50 });
      const letters = (await lettersOf(deadTopic)).map(({ value }) => value);
      expect(letters.length).toBeLessThanOrEqual(10);

      const configEntries = [{ name: 'cleanup.policy', value: 'delete' }];
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
      });
      await spool.appendLines(lines.slice(50));
      await until(() => books().waiting === 0, { ...PATIENCE, what: 'the spool to be empty' });
      const accepted = await valuesOf(topic);
      expect([...accepted, ...letters].toSorted()).toEqual(lines.toSorted());
      expect(books()).toEqual({
        forwarded: 60 - letters.length,
        dead: { invalid: letters.length },
        waiting: 0,
      });
    });

    test('waits for a topic that is missing', async () => {
      const topic = `late-${topics++}`;
      const { spool, books, retried } = await start({ topic });
      await spool.appendLines(['{"a":1}']);
      await until(() => retried('topic_missing') > 0, { ...PATIENCE, what: 'a retry' });
      expect(books()).toEqual({ forwarded: 0, dead: {}, waiting: 1 });
      await createTopics(admin, [{ topic }]);
      await until(() => books().forwarded === 1, { ...PATIENCE, what: 'the event' });
    });

    test('waits while its login is rejected, and ingests events all the same', async () => {
      const topic = await makeTopic({});
      const { sasl, username } = kafka.security;
      const login = { mechanism: 'scram-sha-512', username, password: 'a wrong one' } as const;
      const { spool, books, retried, failures } = await start({
        topic,
        connection: { brokers: sasl, sasl: login },
      });
      await spool.appendLines(['{"a":1}']);
      await until(() => retried('authentication') > 1, { ...PATIENCE, what: 'a second refusal' });
      await spool.appendLines(['{"a":2}']);
      expect(books()).toEqual({ forwarded: 0, dead: {}, waiting: 2 });
      expect(failures.join('\n')).not.toContain('a wrong one');
    });

    type Start = {
      topic: string;
      dead?: Record<string, string>;
      connection?: Partial<KafkaConnection>;
      limits?: ForwarderLimits;
    };

    async function start({ topic, dead = {}, connection = {}, limits = LIMITS }: Start) {
      const folder = temporaryFolder('forwarder');
      const failures: string[] = [];
      const warn = (key: string, message: string, fields?: object) =>
        void failures.push(`${key}: ${message} ${JSON.stringify(fields)}`);
      const metrics = createMetrics(createRegistry(), SIDECAR_METRICS);
      const spool = await openSpool({
        dir: folder.path,
        maxBytes: 64 * 1024 * 1024,
        fsync: 'never',
        cursors: ['kafka'],
      });
      const client = createClient({
        brokers: kafka.brokers,
        clientId: 'test',
        onWarning: (message) => warn('client', message),
        ...connection,
      });
      const deadTopic = await makeTopic(dead);
      const forwarder = await startForwarder({
        from: spool,
        cursor: 'kafka',
        to: createKafkaLog({ client, topic, concurrency: 1, headers: { node: 'web-1', boot: 'b1' } }),
        deadLetters: createDeadLetterTopic(client, deadTopic, () => 0),
        limits,
        metrics,
        warn,
        outage: createOutage(Date.now),
        areAlike: true,
      });
      closing.push(async () => {
        await forwarder.close(0);
        await spool.close();
        await client.close();
        folder.remove();
      });
      return { spool, books, retried, failures, deadTopic, failure: forwarder.failure };

      function books() {
        const reasons = ['too_large', 'invalid'] as const;
        const counted = reasons.map((reason) => [
          reason,
          metrics.of('forward_dead_total', { reason }).value(),
        ]);
        return {
          forwarded: metrics.of('forwarded_total').value(),
          dead: Object.fromEntries(counted.filter(([, count]) => count !== 0)) as Record<string, number>,
          waiting: spool.stats().cursors.kafka?.behind ?? 0,
        };
      }

      function retried(reason: string): number {
        return metrics.of('forward_retries_total', { reason }).value();
      }
    }
  });

  async function makeTopic(settings: Record<string, string>): Promise<string> {
    const topic = `forwarded-${topics++}`;
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await createTopics(admin, [{ topic, numPartitions: 1, configEntries }]);
    return topic;
  }

  async function valuesOf(topic: string): Promise<string[]> {
    return (await lettersOf(topic)).map(({ value }) => value);
  }

  async function lettersOf(topic: string): Promise<{ value: string; reason: string; origin: string }[]> {
    const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets(topic);
    const consumer = new kafkajs.Kafka({
      brokers: kafka.brokers,
      logLevel: kafkajs.logLevel.NOTHING,
    }).consumer({ groupId: `reader-of-${topic}`, maxWaitTimeInMs: 100 });
    const found: { value: string; reason: string; origin: string }[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { value, headers } }) => {
        found.push({
          value: String(value),
          reason: String(headers?.reason),
          origin: String(headers?.origin),
        });
      },
    });
    await until(() => found.length >= Number(high), { ...PATIENCE, what: `the records of ${topic}` });
    await consumer.disconnect();
    return found;
  }
});

/** An event of about that many bytes, which gzip cannot make smaller than three quarters. */
function incompressible(bytes: number): string {
  return JSON.stringify({ a: randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64') });
}
