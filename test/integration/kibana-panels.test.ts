import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../event/event.ts';
import { createDashboard } from '../../kibana/dashboard.ts';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import { indexTemplate } from '../../store/elasticsearch/template.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { record } from '../parts/record.ts';
import { sharedElasticsearch } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { type Column, searchOf } from './lens-search.ts';

const STARTED_MS = 240_000;
const MINUTE = 60_000;
const FROM = Date.UTC(2026, 10, 22, 15, 0);
const RANGE = { from: FROM, to: FROM + 5 * MINUTE, intervalSeconds: 60 };

// Seven views by three visitors: one event stands for four views, and the last is one too late. A bot's visit, pages fetched
// ahead and a look at the headers are apart.
const EVENTS = [
  view({ item: '4711', ip: '203.0.113.1', at: 0 }),
  view({ item: '4711', ip: '203.0.113.1', at: MINUTE, weight: 4 }),
  view({ item: '4711', ip: '203.0.113.2', at: MINUTE + 1 }),
  view({ item: '1001', ip: '198.51.100.3', at: 3 * MINUTE }),
  view({ item: '1001', ip: '198.51.100.4', at: 5 * MINUTE }),
  view({ item: '1001', ip: '198.51.100.5', at: MINUTE, bot: true, weight: 20 }),
  view({ item: '1001', ip: '198.51.100.6', at: 3 * MINUTE, kind: 'prefetch', weight: 30 }),
  view({ item: '9', ip: '198.51.100.7', at: 4 * MINUTE, kind: 'head' }),
];

const dataStream = `kibana-panels-${randomBytes(4).toString('hex')}`;
/** The shipped visualizations, by the id of their panel. */
const LENSES = new Map(
  createDashboard({ dataView: dataStream })
    .filter(({ type }) => type === 'lens')
    .map(({ id, attributes }) => [id.replace('hotitem-', ''), attributes]),
);
let elasticsearch: ElasticsearchPart;

suiteWith(['elasticsearch'])('what the shipped dashboard asks for, asked of a real Elasticsearch', () => {
  beforeAll(async () => {
    elasticsearch = await sharedElasticsearch();
    record(`${elasticsearch.describe}, the dashboard's questions`);
    const { name, ...template } = indexTemplate({ dataStream });
    await send('PUT', `_index_template/${name}`, template);
    const index = createElasticsearchIndex({
      node: elasticsearch.node,
      requestTimeoutMs: 30_000,
      dataStream,
    });
    const outcomes = await index.create(EVENTS);
    await index.close();
    expect(outcomes.map(({ status }) => status)).toEqual(EVENTS.map(() => 'created'));
    await send('POST', `${dataStream}/_refresh`);
  }, STARTED_MS);
  afterAll(() => elasticsearch?.close(), STARTED_MS);

  test('the total is the sum of the weights', async () => {
    expect(await ask('total-views')).toMatchObject({ views: { views: { value: 7 } } });
  });

  test('a visitor counts once, however many views', async () => {
    expect(await ask('visitors')).toMatchObject({ visitors: { visitors: { value: 3 } } });
  });

  test('views over time have a bar for each minute, an empty one if nothing was viewed', async () => {
    expect(rowsOf(await ask('views-over-time'), 'time')).toEqual([
      { key: FROM, views: 1 },
      { key: FROM + MINUTE, views: 5 },
      { key: FROM + 2 * MINUTE, views: 0 },
      { key: FROM + 3 * MINUTE, views: 1 },
      { key: FROM + 4 * MINUTE, views: 0 },
    ]);
  });

  test('other requests for item pages have their own bars', async () => {
    expect(rowsOf(await ask('no-views-over-time'), 'time')).toEqual([
      { key: FROM, bots: 0, prefetches: 0, others: 0 },
      { key: FROM + MINUTE, bots: 20, prefetches: 0, others: 0 },
      { key: FROM + 2 * MINUTE, bots: 0, prefetches: 0, others: 0 },
      { key: FROM + 3 * MINUTE, bots: 0, prefetches: 30, others: 0 },
      { key: FROM + 4 * MINUTE, bots: 0, prefetches: 0, others: 1 },
    ]);
  });

  test('the top items are ordered by views, each with its visitors and other requests', async () => {
    expect(rowsOf(await ask('top-items'), 'item')).toEqual([
      { key: '4711', views: 6, visitors: 2, bots: 0, prefetches: 0, others: 0, all: 6 },
      { key: '1001', views: 1, visitors: 1, bots: 20, prefetches: 30, others: 0, all: 51 },
      { key: '9', views: 0, visitors: 0, bots: 0, prefetches: 0, others: 1, all: 1 },
    ]);
  });

  test('every panel of the dashboard is tested here', () => {
    expect([...LENSES.keys()]).toEqual([
      'total-views',
      'visitors',
      'views-over-time',
      'top-items',
      'no-views-over-time',
    ]);
  });
});

type LensState = {
  datasourceStates: { formBased: { layers: Record<string, { columns: Record<string, Column> }> } };
};
type Value = { value?: number };
/** A metric about some of the documents is in an answer under its own name twice. */
type Metric = Value & { [id: string]: Value | number | undefined };
type Row = { key: string | number } & Record<string, Metric | string | number>;
type Answer = Record<string, Metric & { buckets?: Row[] }>;

async function ask(id: string): Promise<Answer> {
  const { state } = (LENSES.get(id) ?? {}) as { state?: LensState };
  const [layer] = Object.values(state?.datasourceStates.formBased.layers ?? {});
  if (layer === undefined) throw new Error(`there is no panel ${id}`);
  const { aggregations } = (await send('POST', `${dataStream}/_search`, searchOf(layer.columns, RANGE))) as {
    aggregations: Answer;
  };
  return aggregations;
}

function rowsOf(answer: Answer, id: string): object[] {
  return (answer[id]?.buckets ?? []).map((row) => ({
    key: row.key,
    ...Object.fromEntries(
      Object.entries(row).flatMap(([name, metric]) =>
        typeof metric === 'object' ? [[name, valueIn(metric, name)]] : [],
      ),
    ),
  }));
}

function valueIn(metric: Metric, name: string): number | undefined {
  const inner = metric[name];
  return typeof inner === 'object' ? inner.value : metric.value;
}

async function send(method: string, path: string, body?: object): Promise<unknown> {
  const reply = await fetch(`${elasticsearch.node}/${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}\n${elasticsearch.log()}`);
  return JSON.parse(text);
}

type Seen = Pick<HotItemEvent, 'item' | 'weight' | 'kind' | 'bot'> & { ip: string; at: number };

function view({ item, ip, at, weight, kind, bot }: Seen): HotItemEvent {
  const time = FROM + at;
  const id = `${time.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;
  const event: HotItemEvent = { v: 1, id, time, uri: `/web/item/${item}.html`, item, ip };
  return {
    ...event,
    ...(kind !== undefined && { kind }),
    ...(bot !== undefined && { bot }),
    ...(weight !== undefined && { weight }),
  };
}
