import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { keepTrying } from '../../service/keep-trying.ts';
import { type KafkaClient, ROW } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { FULL, firstOf } from '../parts/full.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { createTopics } from '../parts/kafka-admin.ts';
import { recordsOf } from '../parts/kafka-records.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(300_000);

const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
const NAMES = Object.keys(CLIENTS);
const PATIENCE = { timeoutMs: 90_000, everyMs: 200 };
const RETENTION = { retentionMs: 3_600_000 };
const ON_EACH = { numPartitions: FULL ? 6 : 3, replicationFactor: 3 };
const TWO_IN_SYNC = [{ name: 'min.insync.replicas', value: '2' }];
/** Of one request: enough rows that each partition gets one. */
const MESSAGES = ROW * ON_EACH.numPartitions;

/** Acknowledged before a broker is stopped: all connections are open, and all partitions were written to. */
const SOME = 10 * MESSAGES;
/** Between two requests: enough of them that one is under way whenever a leader moves. */
const PAUSE_MS = FULL ? 20 : 40;

const whenFull = FULL ? describe : describe.skip;

suiteWith(['kafka'], { stops: true })('a cluster of three brokers', () => {
  let kafka: KafkaPart;
  let admin: Admin;
  const clients = new Map<string, KafkaClient>();

  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
    admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    for (const [name, create] of Object.entries(CLIENTS))
      clients.set(name, create({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} }));
  });
  afterAll(async () => {
    await Promise.all([...clients.values()].map((client) => client.close()));
    await admin?.disconnect();
    await kafka?.close();
  });

  test('events acknowledged while the brokers are restarted one by one are in the topic, with both clients', async () => {
    const topics = NAMES.map((name) => ({
      topic: `rolling-${name}`,
      ...ON_EACH,
      configEntries: TWO_IN_SYNC,
    }));
    await admin.createTopics({ topics, waitForLeaders: false });
    await until(allInSync, { ...PATIENCE, what: 'the topics' });
    const ended = new AbortController();
    const loads = NAMES.map((name) => startLoad(name, `rolling-${name}`, ended.signal));
    // One is enough to move leaders to brokers that have answered already.
    for (const node of firstOf(1, kafka.nodes)) {
      const before = loads.map(({ acknowledged }) => acknowledged());
      await until(() => loads.every((one, i) => one.acknowledged() >= (before[i] ?? 0) + SOME), {
        ...PATIENCE,
        what: 'both to send',
      });
      await node.stop();
      await node.start();
      await until(allInSync, { ...PATIENCE, what: 'all replicas to be in sync' });
    }
    ended.abort();
    await Promise.all(loads.map(({ finished }) => finished));
    for (const [i, name] of NAMES.entries()) {
      const records = await recordsOf(kafka.brokers, `rolling-${name}`);
      const there = new Set(records.map(({ value }) => value));
      const sent = Array.from({ length: loads[i]?.acknowledged() ?? 0 }, (_, n) => String(n));
      const missing = sent.filter((value) => !there.has(value));
      expect({ name, missing: missing.length }).toEqual({ name, missing: 0 });
    }
  });

  whenFull.each(NAMES)('%s', (which) => {
    test('finds the new leader when the old one is killed', async () => {
      const topic = `leader-${which}`;
      await clientOf(which).setup([{ ...RETENTION, topic, partitions: 1, replicationFactor: 3 }], {
        dryRun: false,
      });
      await clientOf(which).send(topic, [{ value: Buffer.from('before') }]);
      const leader = await leaderOf(topic);
      await kafka.nodes[leader - 1]?.kill();
      await until(() => takes(which, topic), { ...PATIENCE, what: 'the new leader' });
      expect(await leaderOf(topic)).not.toBe(leader);
      await kafka.nodes[leader - 1]?.start();
    });

    test('reports too few in-sync replicas, until there are enough again', async () => {
      const topic = `replicas-${which}`;
      await createTopics(admin, [
        { topic, numPartitions: 1, replicationFactor: 2, configEntries: TWO_IN_SYNC },
      ]);
      await clientOf(which).send(topic, [{ value: Buffer.from('before') }]);
      const [found] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions ?? [];
      const follower = found?.replicas.find((id) => id !== found.leader) ?? 0;
      await kafka.nodes[follower - 1]?.kill();
      await until(async () => (await failureOn(which, topic)) === 'not_enough_replicas', {
        ...PATIENCE,
        what: 'the refusal',
      });
      await kafka.nodes[follower - 1]?.start();
      await until(() => takes(which, topic), { ...PATIENCE, what: 'the replica to be in sync' });
    });
  });

  /** Sends numbers from 0 on as the forwarder does, two requests at a time. At the end all below `acknowledged()` were. */
  function startLoad(name: string, topic: string, ended: AbortSignal) {
    const client = clientOf(name);
    let next = 0;
    let acknowledged = 0;
    return { acknowledged: () => acknowledged, finished: Promise.all([work(), work()]) };

    async function work(): Promise<void> {
      while (!ended.aborted) {
        const first = next;
        next += MESSAGES;
        const messages = Array.from({ length: MESSAGES }, (_, i) => ({
          value: Buffer.from(String(first + i)),
        }));
        await keepTrying(() => client.send(topic, messages), {
          signal: AbortSignal.timeout(PATIENCE.timeoutMs),
          onFailure: () => {},
        });
        acknowledged += MESSAGES;
        await sleep(PAUSE_MS);
      }
    }
  }

  async function allInSync(): Promise<boolean> {
    const { topics } = await admin
      .fetchTopicMetadata({ topics: NAMES.map((name) => `rolling-${name}`) })
      .catch(() => ({ topics: [] }));
    const partitions = topics.flatMap((topic) => topic.partitions);
    return (
      partitions.length === NAMES.length * ON_EACH.numPartitions &&
      partitions.every(({ isr, replicas }) => isr.length === replicas.length)
    );
  }

  function clientOf(name: string): KafkaClient {
    const client = clients.get(name);
    if (client === undefined) throw new Error(`no client ${name}`);
    return client;
  }

  async function takes(which: string, topic: string): Promise<boolean> {
    return (await failureOn(which, topic)) === undefined;
  }

  async function failureOn(which: string, topic: string): Promise<unknown> {
    return clientOf(which)
      .send(topic, [{ value: Buffer.from('again') }])
      .then(
        () => undefined,
        ({ failure }: { failure: unknown }) => failure,
      );
  }

  async function leaderOf(topic: string): Promise<number> {
    return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions[0]?.leader ?? 0;
  }
});
