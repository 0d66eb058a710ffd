import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { Report } from '../../report/report.ts';
import type { HealthAnswer } from '../../sidecar/routes/answers.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { createTopics, withAdmin } from '../parts/kafka-admin.ts';
import { views } from '../parts/load.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { documentsOf } from './documents.ts';
import { joined } from './kafka-logs.ts';
import { runHotitem } from './run-hotitem.ts';
import { ranking, type Started, startDemo } from './start-demo.ts';

jest.setTimeout(300_000);
const { ConfigResourceTypes } = kafkajs;

suiteWith(['nginx', 'kafka', 'elasticsearch'])('npm start with addresses', () => {
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let running: Started | undefined;
  let settings: Record<string, string> = {};
  let run = 0;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
  });
  afterEach(async () => {
    await running?.process.stop();
    running?.remove();
  });
  afterAll(() => Promise.all([kafka?.close(), elasticsearch?.close()]));

  test('of both sets both up, and a view reaches Elasticsearch through Kafka; a record that is not an event becomes a dead letter', async () => {
    await start({ ...kafkaOf(), ...elasticsearchOf() });
    await viewed('both');
    expect(await queries()).toEqual(['v=both']);
    expect(await events()).toHaveLength(1);
    await until(async () => (await kafkaHealth())?.lastAt !== undefined, {
      timeoutMs: 60_000,
      what: 'Health to say when Kafka accepted it',
    });
    expect((await kafkaHealth())?.brokers).toBe(1);
    // The sink is in the same process: there is none to ask beside it.
    const { lost } = (await report()).accounting;
    expect(lost).toMatchObject({ list: [] });
    expect(JSON.stringify(lost)).not.toContain('what a sink lost');
    await sent('{"v":1,"id":7}');
    const [letter] = await events(`start-events-${run}.dead`);
    expect(letter).toBe('{"v":1,"id":7}');
    await viewed('after');
    expect((await queries()).toSorted()).toEqual(['v=after', 'v=both']);
    // It is asked every 15 s how far the sink is.
    if (!FULL) return;
    await until(async () => (await kafkaHealth())?.behind?.events === 0, {
      timeoutMs: 60_000,
      what: 'Kafka to say that nothing is behind',
      detail: async () => JSON.stringify(await kafkaHealth()),
    });
  });

  test('of Elasticsearch alone needs no Kafka', async () => {
    await start(elasticsearchOf());
    await viewed('alone');
    expect(await queries()).toEqual(['v=alone']);
  });

  test('of Kafka alone indexes into DuckDB', async () => {
    await start(kafkaOf());
    await viewed('kafka');
    expect(await events()).toHaveLength(1);
    expect(running?.output()).toContain('then DuckDB here');
  });

  test('does not ask, and shortens no retention of an existing topic', async () => {
    const topic = `start-events-${run + 1}`;
    const month = { name: 'retention.ms', value: '2592000000' };
    const topics = [{ topic, numPartitions: 1, configEntries: [month] }];
    await withAdmin(kafka, (admin) => createTopics(admin, topics));
    await start({ ...kafkaOf(), HOTITEM_KAFKA_RETENTION_HOURS: '168' });
    const log = () => readFileSync(join(running?.home ?? '', 'hotitem.log'), 'utf8');
    await until(() => log().includes('a setting is not applied: it would lose data'), {
      timeoutMs: 60_000,
      what: 'the warning',
      detail: log,
    });
    const { resources } = await withAdmin(kafka, (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [month.name] }],
      }),
    );
    expect(resources[0]?.configEntries).toMatchObject([{ configValue: month.value }]);
  });

  async function start(env: Record<string, string>): Promise<void> {
    run++;
    const own = {
      HOTITEM_KAFKA_TOPIC: `start-events-${run}`,
      HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `start-events-${run}.dead`,
      HOTITEM_KAFKA_GROUP: `start-sink-${run}`,
      HOTITEM_ELASTICSEARCH_DATA_STREAM: `hot_item_start_${run}`,
    };
    settings = { ...own, ...env };
    running = await startDemo([], settings);
    const { output } = running;
    const up = () => output().includes('Ctrl-C stops everything');
    await until(up, { timeoutMs: 60_000, what: 'the start', detail: output });
  }

  /** Writes a record to the topic. */
  async function sent(value: string): Promise<void> {
    const topic = `start-events-${run}`;
    const log = createKafkaLog({ client: client(), topic, concurrency: 1, headers: {} });
    await log.append({ source: 'test', values: [Buffer.from(value)], position: String });
  }

  /** Views an item and waits until the page shows it. */
  async function viewed(name: string): Promise<void> {
    const { shop = '', page = '', output = () => '' } = running ?? {};
    const before = await count(page);
    await views({ port: Number(shop.split(':')[1]), paths: [`/web/item/4711.html?v=${name}`] });
    const shown = async () => (await count(page)) > before;
    await until(shown, { timeoutMs: 60_000, everyMs: 250, what: `the view ${name} to show`, detail: output });
  }

  async function count(page: string): Promise<number> {
    // Not an answer yet, in the first moments of a data stream.
    const items = await ranking(page).catch(() => []);
    return items?.find(({ item }) => item === '4711')?.views ?? 0;
  }

  async function kafkaHealth(): Promise<HealthAnswer['kafka']> {
    const answer = await fetch(`http://${running?.page}/api/v1/health`);
    return ((await answer.json()) as HealthAnswer).kafka;
  }

  async function queries(): Promise<(string | undefined)[]> {
    const wanted = { dataStream: `hot_item_start_${run}`, count: 1, detail: () => running?.output() ?? '' };
    return (await documentsOf(elasticsearch.node, wanted)).map(({ url }) => url.query);
  }

  /** What a topic holds, read by a group of its own. */
  async function events(topic = `start-events-${run}`): Promise<string[]> {
    const seen: string[] = [];
    const log = createKafkaLog({ client: client(), topic, concurrency: 1, headers: {} });
    const reader = await joined(() =>
      log.consume(`reader-${topic}`, async (batch) => void seen.push(...batch.values.map(String))),
    );
    await until(() => seen.length > 0, { timeoutMs: 60_000, what: `an event in ${topic}` });
    await reader.close(100);
    return seen;
  }

  function client() {
    return createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
  }

  async function report(): Promise<Report> {
    const own = { HOTITEM_HOME: running?.home ?? '', HOTITEM_ADMIN_LISTEN: running?.page ?? '' };
    const args = ['report', '--format', 'json', '--rules-seconds', '0'];
    const { stdout, stderr } = await runHotitem(args, { ...settings, ...own });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Report;
  }

  function kafkaOf() {
    return { KAFKA_BROKERS: kafka.brokers.join(',') };
  }

  function elasticsearchOf() {
    return { ELASTICSEARCH_NODE: elasticsearch.node };
  }
});
