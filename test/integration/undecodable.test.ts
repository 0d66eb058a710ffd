import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { HotItemEvent } from '../../event/event.ts';
import type { Replayed } from '../../reconcile/replay.ts';
import type { Verified } from '../../reconcile/verify.ts';
import { makeBomb, sendBomb } from '../parts/bombs.ts';
import { CODECS, writeAllCodecs } from '../parts/codecs.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { createTopics, isCommitted } from '../parts/kafka-admin.ts';
import { recordsOf } from '../parts/kafka-records.ts';
import { batchesOnDisk, flipBit, mend } from '../parts/kafka-segment.ts';
import { peakMemory, promisedOfSink } from '../parts/memory.ts';
import { PITS } from '../parts/nasty-records.ts';
import { report } from '../parts/report.ts';
import type { Service } from '../parts/service.ts';
import { sharedSecuredKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { TOPIC_ATTACKS } from '../parts/topic-attacks.ts';
import { until } from '../parts/until.ts';
import { startStandIn } from '../unit/store/elasticsearch/stand-in.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';
import { someEvents, startSinkService } from './sink-topic.ts';

jest.setTimeout(300_000);
const MB = 1024 * 1024;
/** Less than by default, so that what is beyond it shows. */
const DUCKDB_MB = 64;
/** Hundreds of thousands of events and dead letters. */
const LONGEST_MS = 300_000;
const PARTITIONS = 3;
/** In short words, which hide no token; gzip makes it no smaller than its topic takes. */
const NO_EVENT = `no event ${randomBytes(25_000).toString('hex').replace(/..../g, '$& ')}`;
type Accounts = { sink: Record<'consumed' | 'indexed' | 'existing' | 'dead' | 'unaccounted', number> };
type Kafka = InstanceType<typeof kafkajs.Kafka>;

suiteWith(['kafka'], { stops: true })('what cannot be decoded', () => {
  let kafka: KafkaPart;
  let producer: ReturnType<Kafka['producer']>;
  let admin: ReturnType<Kafka['admin']>;

  beforeAll(async () => {
    kafka = await sharedSecuredKafka();
    const plain = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
    admin = plain.admin();
    producer = plain.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await Promise.all([admin.connect(), producer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()]);
    await kafka?.close();
  });

  describe.each(['kafkajs', 'platformatic'])('by %s', (client) => {
    const testOfBoth = FULL || client === 'kafkajs' ? test : test.skip;
    let folder: ReturnType<typeof temporaryFolder>;
    let env: Record<string, string>;
    let topic: string;
    let sink: Service | undefined;
    let run = 0;

    beforeEach(async () => {
      topic = `undecodable-${client}-${run++}`;
      folder = temporaryFolder('undecodable');
      env = {
        KAFKA_BROKERS: kafka.brokers.join(','),
        HOTITEM_KAFKA_CLIENT: client,
        HOTITEM_KAFKA_TOPIC: topic,
        HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `${topic}.dead`,
        HOTITEM_KAFKA_GROUP: `sink-${topic}`,
        HOTITEM_HOME: folder.path,
      };
    });
    afterEach(async () => {
      await sink?.stop();
      sink = undefined;
      folder.remove();
    });

    test('every codec of Kafka is read; a flipped bit loses its batch only, stored and counted; verify and replay report it, and index it once it is repaired', async () => {
      await makeTopics();
      for (const [name, codec] of Object.entries(CODECS)) await write(2, someEvents(30, name), codec);
      await write(0, someEvents(10, 'before'));
      await write(0, someEvents(20, 'damaged'), CODECS.lz4);
      await write(0, someEvents(10, 'behind'));
      await write(1, someEvents(10, 'elsewhere'));
      const [, damaged] = batchesOnDisk(kafka.nodes[0]?.data ?? '', topic, 0);
      if (damaged === undefined) throw new Error('there is no second batch');
      flipBit(damaged);
      await startSink();
      await accountsOf({ consumed: 170, indexed: 150, dead: 20, unaccounted: 0 });
      await write(0, someEvents(5, 'later'));
      await accountsOf({ consumed: 175, indexed: 155, dead: 20, unaccounted: 0 });
      await isReady();
      expect(sink?.log()).toContain('a batch cannot be decoded');
      const [, onDisk] = batchesOnDisk(kafka.nodes[0]?.data ?? '', topic, 0);
      expect(readFileSync(join(folder.path, `quarantine/${topic}-0-10.batch`))).toEqual(onDisk?.bytes);
      await sink?.stop();
      // The commands read the topic by the same client: by the other one in a full run.
      if (!FULL && client !== 'kafkajs') return;

      const [letter] = await letters();
      expect(letter).toMatchObject({
        origin: `${topic}/0/10-29`,
        reason: expect.stringMatching(
          /^a batch of 20 records cannot be decoded: its checksum is wrong; its bytes are in \//,
        ),
      });
      expect(await verify()).toMatchObject({
        status: 0,
        answer: { balanced: true, expected: 175, there: 155, dead: 20, missing: 0 },
      });
      expect(await replay()).toMatchObject({
        status: 1,
        answer: { read: 175, created: 0, existing: 155, dead: 20 },
      });
      await runHotitem(['dead-letters', 'purge', '--yes'], env);
      expect(await verify()).toMatchObject({
        status: 2,
        answer: {
          balanced: null,
          expected: 175,
          there: 155,
          undecodable: 20,
          missing: 0,
          doubts: [expect.stringContaining(`${topic}/0/10-29`)],
        },
      });

      mend(damaged);
      expect(await replay()).toMatchObject({
        status: 0,
        answer: { read: 175, created: 20, existing: 155, dead: 0 },
      });
    });

    testOfBoth(
      'records that are nested without end are dead letters: the sink, verify, replay and dead-letters go on behind them',
      async () => {
        await makeTopics();
        const pits = Object.values(PITS);
        await write(0, someEvents(5, 'before'));
        await producer.send({ topic, messages: pits.map((value) => ({ partition: 0, value })) });
        await write(0, someEvents(5, 'behind'));
        await startSink();
        const all = 10 + pits.length;
        await accountsOf({ consumed: all, indexed: 10, dead: pits.length, unaccounted: 0 });
        await isReady();
        await sink?.stop();
        expect(await verify()).toMatchObject({
          status: 0,
          answer: { balanced: true, expected: all, there: 10, dead: pits.length },
        });
        // It reads as verify does.
        if (FULL)
          expect(await replay()).toMatchObject({
            status: 1,
            answer: { read: all, created: 0, existing: 10, dead: pits.length },
          });
        // Nothing is kept of a record that a token cannot be cut out of.
        const refused = pits.filter((json) => json.includes('"token"')).length;
        const again = await askHotitem(['dead-letters', 'replay'], env);
        expect(again).toMatchObject({ answer: { replayed: pits.length - refused, refused } });
      },
    );

    testOfBoth(
      'gzip batches that unpack to a thousand times as much, in all partitions at once, are dead letters and take no memory',
      async () => {
        await makeTopics();
        const bombs = [await makeBomb(15), await makeBomb(FULL ? 300 : 60)];
        await write(0, someEvents(5, 'before'));
        for (const bomb of FULL ? [...bombs, ...bombs] : bombs)
          for (let partition = 0; partition < PARTITIONS; partition++)
            await sendBomb({ brokers: kafka.brokers, topic, partition }, bomb);
        await write(0, someEvents(5, 'behind'));
        await startSink();
        const dead = (FULL ? 2 : 1) * PARTITIONS * bombs.reduce((sum, { count }) => sum + count, 0);
        await accountsOf({ consumed: 10 + dead, indexed: 10, dead, unaccounted: 0 });
        expect(peakMemory(sink?.pid() ?? 0)).toBeLessThan(promisedOfSink());
      },
    );

    (FULL ? test : test.skip)(
      'compressed batches, in every codec and with lists, do not exceed the memory limit of the embedded index',
      async () => {
        env.HOTITEM_DUCKDB_MEMORY_MB = String(DUCKDB_MB);
        await makeTopics();
        for (const attack of Object.values(TOPIC_ATTACKS))
          await attack({ brokers: kafka.brokers, topic, partitions: PARTITIONS });
        await startSink();
        await until(() => isCommitted(admin, topic, `sink-${topic}`), {
          timeoutMs: LONGEST_MS,
          everyMs: 500,
          what: 'the end of the topic',
          detail: () => sink?.log() ?? '',
        });
        const { unaccounted } = (await sink?.json<Accounts>('/api/v1/accounting'))?.sink ?? {};
        expect(unaccounted).toBe(0);
        const peak = peakMemory(sink?.pid() ?? 0);
        report(`a sink with the embedded index, by ${client}: ${Math.round(peak)} MB at most`);
        expect(peak).toBeLessThan(promisedOfSink('embedded') + DUCKDB_MB);
      },
      LONGEST_MS,
    );

    (FULL && client === 'kafkajs' ? test : test.skip)(
      'an answer of Elasticsearch that unpacks to 200 MB takes no memory: the sink is not ready, says why, and goes on once it is right',
      async () => {
        const bomb = gzipSync(
          Buffer.concat([Buffer.from('{'), Buffer.alloc(200 * MB, ' '), Buffer.from('}')]),
        );
        let isHostile = true;
        const index = await startStandIn(({ body }) => {
          if (isHostile) return { status: 200, body: bomb, encoding: 'gzip' };
          const asked = body.split('{"create":').slice(1);
          return { status: 200, body: { items: asked.map(() => ({ create: { status: 201 } })) } };
        });
        env.ELASTICSEARCH_NODE = index.node;
        try {
          await makeTopics();
          for (let partition = 0; partition < PARTITIONS; partition++)
            await write(partition, someEvents(500));
          await startSink('/livez');
          const isRefused = async () => (await ready()).includes('larger than 8 MiB');
          await until(isRefused, { timeoutMs: 60_000, what: 'it to say so', detail: ready });
          const asked = index.asked.length;
          await until(() => index.asked.length > asked + 10, { timeoutMs: 60_000, what: 'more answers' });
          expect(peakMemory(sink?.pid() ?? 0)).toBeLessThan(promisedOfSink());
          isHostile = false;
          await accountsOf({ consumed: 1_500, indexed: 1_500, dead: 0, unaccounted: 0 });
          await isReady();
        } finally {
          await sink?.stop();
          await index.close();
        }
      },
    );

    testOfBoth('its bytes are not stored if privacy settings forbid it', async () => {
      env.HOTITEM_PRIVACY_IP = 'drop';
      await makeTopics();
      await write(0, someEvents(5));
      flipBit(batchesOnDisk(kafka.nodes[0]?.data ?? '', topic, 0)[0] ?? fail());
      await startSink();
      await accountsOf({ consumed: 5, dead: 5 });
      const [letter] = await letters();
      expect(letter?.reason).toContain('its bytes are not kept, because of the privacy settings');
    });

    testOfBoth(
      'a dead letter is cut until its topic takes it; one that cannot be decoded itself is said',
      async () => {
        await makeTopics({ 'max.message.bytes': '1000' });
        await producer.send({
          topic,
          messages: [{ partition: 0, value: NO_EVENT }],
        });
        await startSink();
        await accountsOf({ consumed: 1, dead: 1 });
        const [letter] = await letters();
        expect(letter?.reason).toMatch(/, cut from 62509 to \d+ bytes$/);
        expect(letter?.value).toMatch(/^no event [\da-f ]+$/);

        await sink?.stop();
        flipBit(batchesOnDisk(kafka.nodes[0]?.data ?? '', `${topic}.dead`, 0)[0] ?? fail());
        const damaged = await askHotitem<{ reason: string }>(['dead-letters', 'list'], env);
        expect(damaged.answer.reason).toBe('1 dead letters cannot be decoded: its checksum is wrong');
        expect(await verify()).toMatchObject({
          status: 2,
          answer: { missing: 1, doubts: [expect.stringContaining('1 dead letters cannot be decoded')] },
        });
      },
    );

    testOfBoth(
      'a sink whose dead letters cannot be kept is not ready, and says where and what to do',
      async () => {
        await makeTopics({ 'max.message.bytes': '60' });
        await write(0, someEvents(7));
        await producer.send({ topic, messages: [{ partition: 0, value: 'no event' }] });
        await startSink('/livez');
        const stalled = new RegExp(
          `^sink: it is stalled in ${topic}/0 at \\d+: dead letters cannot be stored: .*max.message.bytes`,
        );
        await until(async () => stalled.test(await ready()), {
          timeoutMs: 60_000,
          what: 'it to say where it is stalled',
          detail: ready,
        });
        await admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: kafkajs.ConfigResourceTypes.TOPIC,
              name: `${topic}.dead`,
              configEntries: [{ name: 'max.message.bytes', value: '1000000' }],
            },
          ],
        });
        await accountsOf({ consumed: 8, indexed: 7, dead: 1 });
        await isReady();
      },
    );

    async function makeTopics(ofDead: Record<string, string> = {}): Promise<void> {
      const configEntries = Object.entries(ofDead).map(([name, value]) => ({ name, value }));
      await createTopics(admin, [
        { topic, numPartitions: PARTITIONS, replicationFactor: 1 },
        { topic: `${topic}.dead`, numPartitions: 1, replicationFactor: 1, configEntries },
        { topic: `${topic}.decisions`, numPartitions: 1, replicationFactor: 1 },
      ]);
    }

    /** One batch. */
    async function write(
      partition: number,
      events: HotItemEvent[],
      compression: number = CODECS.gzip,
    ): Promise<void> {
      writeAllCodecs();
      const messages = events.map((event) => ({ partition, value: JSON.stringify(event) }));
      await producer.send({ topic, compression, messages });
    }

    async function startSink(waitFor?: '/livez'): Promise<void> {
      sink = await startSinkService(env, join(folder.path, 'sink.log'), waitFor);
    }

    async function accountsOf(
      expected: Partial<Accounts['sink']> & Pick<Accounts['sink'], 'consumed'>,
    ): Promise<void> {
      const { consumed } = expected;
      const now = async () => (await sink?.json<Accounts>('/api/v1/accounting'))?.sink;
      const accounts = await until(
        async () => {
          const some = await now();
          const isDone =
            (some?.consumed ?? 0) >= consumed && (await isCommitted(admin, topic, `sink-${topic}`));
          return isDone ? await now() : undefined;
        },
        {
          timeoutMs: 120_000,
          what: 'the sink',
          detail: async () => `${JSON.stringify(await now())}\n${sink?.log()}`,
        },
      );
      // A member that a busy machine stopped for too long gets a batch again: its records are there already, or dead again.
      const again = accounts.consumed - consumed;
      const dead = accounts.dead + accounts.existing - again;
      expect({ ...accounts, consumed, existing: 0, dead }).toMatchObject(expected);
    }

    async function isReady(): Promise<void> {
      const isOk = async () => (await ready()) === 'sink: ok';
      await until(isOk, { timeoutMs: 60_000, what: 'the sink to be ready', detail: ready });
    }

    async function ready(): Promise<string> {
      const checks = ((await sink?.text('/readyz?verbose')) ?? '').split('\n');
      return checks.find((line) => line.startsWith('sink: ')) ?? checks.join('\n');
    }

    /** In the topic of dead letters. */
    async function letters() {
      const records = await recordsOf(kafka.brokers, `${topic}.dead`);
      return records.map(({ value, headers }) => ({ value, ...headers }) as Record<string, string>);
    }

    function verify() {
      return askHotitem<Verified & { balanced: boolean | null }>(['verify', '--from', '-1h'], env);
    }

    function replay() {
      return askHotitem<Replayed>(['replay', '--from', '-1h'], env);
    }
  });
});

function fail(): never {
  throw new Error('there is no such batch');
}
