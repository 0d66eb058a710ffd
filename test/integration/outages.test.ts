import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import { setupElasticsearch } from '../../store/elasticsearch/setup.ts';
import { type EventIndex, IndexUnavailable } from '../../store/event-index.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { steady } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { documentsOf, viewsIn, viewsOf } from './documents.ts';
import { view } from './index-contract.ts';
import { batchOf, createKafkaLogs } from './kafka-logs.ts';
import { setUpIndexes } from './set-up.ts';
import {
  countDocuments,
  makeTopics,
  openSinkTopic,
  type SinkSettings,
  sinkSettings,
  someEvents,
  startSinkService,
} from './sink-topic.ts';
import { type ExpectedView, plain } from './views.ts';

jest.setTimeout(300_000);
const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
/** All views of the suite are found in one search (see `documentsOf`). */
const RATE = FULL ? 120 : 60;
/** Beside what an orderly stop and a start take. */
const ABSENCE_MS = FULL ? 10_000 : 2_000;
const PATIENCE_MS = 120_000;
/** Events. */
const PRESSURE = FULL ? 20_000 : 8_000;
const ENDS = FULL ? (['kill', 'stop'] as const) : (['kill'] as const);

type Absence = {
  end(): Promise<void>;
  start(): Promise<void>;
  /** While it is away. */
  meanwhile?(): Promise<void>;
};

suiteWith(['nginx', 'kafka', 'elasticsearch'], { stops: true })(
  'a part that goes away and comes back',
  () => {
    let kafka: KafkaPart;
    let elasticsearch: ElasticsearchPart;
    let settings: SinkSettings;
    let chain: Chain;
    /** All views of the suite: over each outage, those of the outages before it stay where they are. */
    const expected: ExpectedView[] = [];
    const opened: EventIndex[] = [];

    beforeAll(async () => {
      [kafka, elasticsearch] = await Promise.all([
        startKafka(),
        // A node that is overloaded by three requests of ours at once, as a real one is by three hundred.
        startElasticsearch({ settings: { 'indexing_pressure.memory.limit': '1mb' } }),
      ]);
      settings = sinkSettings('outages', { brokers: kafka.brokers, node: elasticsearch.node });
      await setUpIndexes(settings);
      const build = await obtainNginx({ suite: 'trixie', report });
      chain = await startChain({ build, env: settings, withSink: true });
    });
    afterAll(async () => {
      await Promise.all(opened.map((index) => index.close()));
      await chain?.close();
      await Promise.all([kafka?.close(), elasticsearch?.close()]);
    });

    describe('under load: no page fails, its views wait, and each arrives once and by itself', () => {
      // test/faults kills it, each time.
      (FULL ? test : test.skip)('the sidecar', async () => {
        await underLoad({ end: () => chain.sidecar.stop(), start: () => chain.sidecar.start() });
      });

      test.each(ENDS)('Kafka (%s), and neither client loses an event or needs a restart', async (end) => {
        const parties = await Promise.all(Object.entries(CLIENTS).map((client) => party(client, end)));
        await underLoad({
          end: () => kafka[end](),
          start: () => kafka.start(),
          async meanwhile() {
            await Promise.all(
              parties.map(({ log }) =>
                expect(log.append(batchOf(['during']))).rejects.toThrow('cannot write to topic'),
              ),
            );
          },
        });
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

      test.each(ENDS)('Elasticsearch (%s), and the index is unavailable meanwhile', async (end) => {
        const index = await open(`hot_item-without-${end}`);
        const events = [view(), view()];
        await index.create(events.slice(0, 1));
        await underLoad({
          end: () => elasticsearch[end](),
          start: () => elasticsearch.start(),
          async meanwhile() {
            const refused = await index.create(events).catch((error: unknown) => error);
            expect(refused).toBeInstanceOf(IndexUnavailable);
            expect(refused).toMatchObject({
              message: 'Elasticsearch does not answer',
              cause: expect.any(Error),
            });
            await expect(index.topItems({ from: 0, to: 1, limit: 1 })).rejects.toThrow(IndexUnavailable);
          },
        });
        expect(await index.create(events)).toEqual([{ status: 'exists' }, { status: 'created' }]);
      });
    });

    test('Elasticsearch is unavailable as an index after a timeout if it hangs', async () => {
      const index = await open('hot_item-hangs', 300);

      await elasticsearch.pause();
      const hung = index.create([view()]).catch((error: unknown) => error);
      await expect(hung).resolves.toMatchObject({
        name: 'IndexUnavailable',
        message: 'Elasticsearch does not answer in time',
      });
      await elasticsearch.resume();
    });

    test('a sink sends smaller requests to an Elasticsearch that answers 429, until everything is indexed', async () => {
      const folder = temporaryFolder('pressure');
      const own = sinkSettings('pressure', { brokers: kafka.brokers, node: elasticsearch.node });
      await makeTopics(own);
      const topic = await openSinkTopic(own);
      // Before the sink starts: one that keeps up with a slow test sends small requests only.
      await topic.append(someEvents(PRESSURE, 'p'));
      const sink = await startSinkService(own, join(folder.path, 'sink.log'));
      try {
        await until(async () => (await countDocuments(own)) === PRESSURE, {
          timeoutMs: PATIENCE_MS,
          what: 'all documents',
          detail: sink.log,
        });
        expect(await sink.metric('hotitem_sink_retries_total')).toBeGreaterThan(0);
        expect(sink.log()).toContain('the index does not accept everything; retrying');
        expect(await topic.deadLetters()).toEqual([]);
      } finally {
        await sink.stop();
        await topic.close();
        folder.remove();
      }
    });

    async function underLoad({ end, start, meanwhile }: Absence): Promise<void> {
      const seconds = ABSENCE_MS / 1000 + 4;
      const from = expected.length;
      const more = Array.from({ length: RATE * seconds }, (_, i) => plain((i % 300) + 1, `v=${from + i}`));
      expected.push(...more);
      const path = (i: number) => more[i]?.path ?? '/';
      const load = steady({ port: chain.port, ratePerSecond: RATE, seconds, path });
      await sleep(1_000);
      await end();
      try {
        await Promise.all([sleep(ABSENCE_MS), meanwhile?.()]);
      } finally {
        await start();
      }
      expect((await load).filter(({ status }) => status !== 200)).toEqual([]);
      const dataStream = settings.HOTITEM_ELASTICSEARCH_DATA_STREAM ?? '';
      const wanted = { dataStream, count: expected.length, detail: chain.logs };
      const documents = await documentsOf(elasticsearch.node, wanted);
      expect(viewsIn(documents)).toEqual(viewsOf(expected));
      const settled = async () => {
        const { sidecar } = await chain.accounts();
        return sidecar?.unaccounted === 0 && sidecar.waiting === 0;
      };
      await until(settled, { timeoutMs: 60_000, what: 'the accounting to balance', detail: chain.logs });
    }

    /** A client that writes and reads a topic of its own. */
    async function party([name, create]: [string, (typeof CLIENTS)[keyof typeof CLIENTS]], end: string) {
      const client = create({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
      const logs = createKafkaLogs(kafka, client, `${name}-${end}`);
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

    async function open(dataStream: string, requestTimeoutMs = 30_000): Promise<EventIndex> {
      const { node } = elasticsearch;
      await setupElasticsearch({ node, requestTimeoutMs: 30_000, dryRun: false, dataStream });
      const index = createElasticsearchIndex({ node, requestTimeoutMs, dataStream });
      opened.push(index);
      return index;
    }
  },
);
