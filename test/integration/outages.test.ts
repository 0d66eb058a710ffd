import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import { setupElasticsearch } from '../../store/elasticsearch/setup.ts';
import { type EventIndex, IndexUnavailable } from '../../store/event-index.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { withAdmin } from '../parts/kafka-admin.ts';
import { steady } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { documentsOf, viewsIn, viewsOf } from './documents.ts';
import { view } from './index-contract.ts';
import { batchOf, createKafkaLogs } from './kafka-logs.ts';
import { setUpIndexes } from './set-up.ts';
import { sinkSettings } from './sink-topic.ts';
import { plain } from './views.ts';

jest.setTimeout(180_000);
const FULL = process.env.HOTITEM_TEST_FULL === '1';
const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
const RATE = 200;
/** Beside what an orderly stop and a start take. */
const ABSENCE_MS = FULL ? 10_000 : 2_000;
const PATIENCE_MS = 60_000;
/** What the other tests of a part stop in order, this one need only kill. */
const ENDS = FULL ? (['stop', 'kill'] as const) : (['kill'] as const);

suiteWith(['nginx', 'kafka', 'elasticsearch'], { stops: true })(
  'a part that goes away and comes back',
  () => {
    let kafka: KafkaPart;
    let elasticsearch: ElasticsearchPart;
    beforeAll(async () => {
      [kafka, elasticsearch] = await Promise.all([startKafka(), startElasticsearch()]);
    });
    afterAll(() => Promise.all([kafka?.close(), elasticsearch?.close()]));

    describe('under load: no page fails, its views wait, and each arrives once and by itself', () => {
      test('the sidecar', async () => {
        await withoutIt('sidecar', ({ sidecar }) => sidecar);
      });

      test('Kafka', async () => {
        await withoutIt('kafka', () => kafka);
      });

      test('Elasticsearch', async () => {
        await withoutIt('elasticsearch', () => elasticsearch);
      });

      type Stoppable = { stop(): Promise<void>; start(): Promise<void> };

      async function withoutIt(name: string, partOf: (chain: Chain) => Stoppable): Promise<void> {
        const settings = sinkSettings(`without-${name}`, {
          brokers: kafka.brokers,
          node: elasticsearch.node,
        });
        await setUpIndexes(settings);
        const build = await obtainNginx({ suite: 'trixie', report });
        const chain = await startChain({ build, env: settings, withSink: true });
        try {
          const seconds = ABSENCE_MS / 1000 + 5;
          const expected = Array.from({ length: RATE * seconds }, (_, i) => plain((i % 300) + 1, `v=${i}`));
          const path = (i: number) => expected[i]?.path ?? '/';
          const load = steady({ port: chain.port, ratePerSecond: RATE, seconds, path });
          await sleep(2_000);
          const part = partOf(chain);
          await part.stop();
          await sleep(ABSENCE_MS);
          await part.start();
          expect((await load).filter(({ status }) => status !== 200)).toEqual([]);
          const dataStream = settings.HOTITEM_ELASTICSEARCH_DATA_STREAM ?? '';
          const wanted = { dataStream, count: expected.length, detail: chain.logs };
          const documents = await documentsOf(elasticsearch.node, wanted);
          expect(viewsIn(documents)).toEqual(viewsOf(expected));
          const settled = async () => {
            const { sidecar } = await chain.accounts();
            return sidecar?.unaccounted === 0 && sidecar.waiting === 0;
          };
          await until(settled, { timeoutMs: 20_000, what: 'the accounting to balance', detail: chain.logs });
        } finally {
          await chain.close();
        }
      }
    });

    describe('Kafka', () => {
      test.each(ENDS)('keeps its topics over a %s', async (end) => {
        const topic = `kept-over-${end}`;
        await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }));

        await kafka[end]();
        await kafka.start();

        expect(await withAdmin(kafka, (admin) => admin.listTopics())).toContain(topic);
      });

      test('loses no event with either client, and neither needs a restart', async () => {
        const parties = await Promise.all(Object.entries(CLIENTS).map(join));
        await kafka.stop();
        await Promise.all(
          parties.map(({ log }) =>
            expect(log.append(batchOf(['during']))).rejects.toThrow('cannot write to topic'),
          ),
        );
        await kafka.start();
        for (const { name, log, seen } of parties) {
          const taken = () =>
            log.append(batchOf(['after'])).then(
              () => true,
              () => false,
            );
          await until(taken, { timeoutMs: PATIENCE_MS, what: `Kafka to take an event by ${name}` });
          await until(() => seen.includes('after'), { timeoutMs: PATIENCE_MS, what: `the event by ${name}` });
        }
        for (const { close } of parties) await close();
      });

      /** A client that writes and reads a topic of its own. */
      async function join([name, create]: [string, (typeof CLIENTS)[keyof typeof CLIENTS]]) {
        const client = create({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
        const logs = createKafkaLogs(client, name);
        const log = await logs.create('outage', 2);
        const seen: string[] = [];
        await logs.consume(log, 'outage', async (batch) => void seen.push(...batch.values.map(String)));
        await log.append(batchOf(['before']));
        const what = `the event before, by ${name}`;
        await until(() => seen.includes('before'), { timeoutMs: PATIENCE_MS, what });
        return { name, log, seen, close };

        async function close(): Promise<void> {
          await logs.close();
          await client.close();
        }
      }
    });

    describe('Elasticsearch', () => {
      const opened: EventIndex[] = [];
      afterAll(async () => {
        await Promise.all(opened.map((index) => index.close()));
      });

      test.each(ENDS)('keeps its documents over a %s', async (end) => {
        const document = `${elasticsearch.node}/kept-over-${end}/_doc/1`;
        const created = await fetch(document, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: '{"item":"4711"}',
        });
        expect(created.status).toBe(201);

        await elasticsearch[end]();
        await elasticsearch.start();

        expect(await (await fetch(document)).json()).toMatchObject({ _source: { item: '4711' } });
      });

      test('is unavailable as an index meanwhile, and accepts everything afterwards', async () => {
        const index = await open('hot_item-away');
        const events = [view(), view()];
        await index.create(events.slice(0, 1));

        await elasticsearch.stop();
        const away = await index.create(events).catch((error: unknown) => error);
        expect(away).toBeInstanceOf(IndexUnavailable);
        expect(away).toMatchObject({ message: 'Elasticsearch does not answer', cause: expect.any(Error) });
        await expect(index.topItems({ from: 0, to: 1, limit: 1 })).rejects.toThrow(IndexUnavailable);

        await elasticsearch.start();
        expect(await index.create(events)).toEqual([{ status: 'exists' }, { status: 'created' }]);
      });

      test('is unavailable after a timeout if it hangs', async () => {
        const index = await open('hot_item-hangs', 300);

        await elasticsearch.pause();
        const hung = index.create([view()]).catch((error: unknown) => error);
        await expect(hung).resolves.toMatchObject({
          name: 'IndexUnavailable',
          message: 'Elasticsearch does not answer in time',
        });
        await elasticsearch.resume();
      });

      async function open(dataStream: string, requestTimeoutMs = 30_000): Promise<EventIndex> {
        const { node } = elasticsearch;
        await setupElasticsearch({ node, requestTimeoutMs: 30_000, dryRun: false, dataStream });
        const index = createElasticsearchIndex({ node, requestTimeoutMs, dataStream });
        opened.push(index);
        return index;
      }
    });
  },
);
