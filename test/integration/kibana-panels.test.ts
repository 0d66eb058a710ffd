import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { HotDecision } from '../../event/decision-fields.ts';
import type { HotItemEvent } from '../../event/event.ts';
import type { SavedObject } from '../../kibana/saved-object.ts';
import { createElasticsearchDecisions, DECISIONS } from '../../store/elasticsearch/decisions.ts';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import { indexTemplate } from '../../store/elasticsearch/template.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { DECISION } from '../parts/hot-decision.ts';
import { record } from '../parts/record.ts';
import { sharedElasticsearch } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { askAnnotations, askLens, type Row, type Search } from './lens-search.ts';

const STARTED_MS = 240_000;
const MINUTE = 60_000;
const FROM = Date.UTC(2026, 10, 22, 15, 0);
const RANGE = { from: FROM, to: FROM + 5 * MINUTE, intervalSeconds: 60 };
const AGO = -60 * MINUTE;
const SHOP = 'https://shop.example/';
/** With what the catalogue had. */
const SHOE = { item: '4711', name: 'Red shoe', category: 'Shoes' };
const HAT = { item: '1001', name: 'Hat', category: 'Hats' };

// Seven views by three visitors: one event stands for four views, and the last is one too late. A bot's visit, pages fetched ahead, a look
// at the headers and a test view are apart. In the hour before, other items were viewed.
const EVENTS = [
  view({ ...SHOE, ip: '203.0.113.1', at: 0, ref: SHOP }),
  view({ ...SHOE, ip: '203.0.113.1', at: MINUTE, weight: 4 }),
  view({ ...SHOE, ip: '203.0.113.2', at: MINUTE + 1, ref: SHOP, node: 'web-2', cut: ['ua', 'ref'] }),
  view({ ...HAT, ip: '198.51.100.3', at: 3 * MINUTE, ref: 'https://search.example/', cut: ['ua'] }),
  view({ item: '1001', ip: '198.51.100.4', at: 5 * MINUTE }),
  view({ item: '1001', ip: '198.51.100.5', at: MINUTE, bot: true, weight: 20 }),
  view({ item: '1001', ip: '198.51.100.6', at: 3 * MINUTE, kind: 'prefetch', weight: 30 }),
  view({ item: '9', ip: '198.51.100.7', at: 4 * MINUTE, kind: 'head' }),
  view({ item: '9', ip: '127.0.0.1', at: 4 * MINUTE, kind: 'test' }),
  view({ item: '4711', ip: '203.0.113.1', at: AGO + MINUTE, weight: 2 }),
  view({ item: '1001', ip: '203.0.113.1', at: AGO + MINUTE, weight: 5 }),
  view({ item: '77', ip: '203.0.113.1', at: AGO + 2 * MINUTE, weight: 3 }),
];

// 4711 was hot for two minutes; 1001 in a dry run only. Three items were held back at one moment, another day's is not shown.
const CHANGES = [
  decision({ at: MINUTE, change: 'enters', views_per_second: 400, visitors: 300 }),
  decision({ at: 3 * MINUTE, change: 'leaves', views_per_second: 2 }),
  decision({ at: 2 * MINUTE, item: '1001', change: 'enters', dry_run: true, views_per_second: 9 }),
  decision({ at: 2 * MINUTE + 1, item: '1001', change: 'stays', held: 3 }),
  decision({ at: -24 * 60 * MINUTE, item: '5', change: 'enters' }),
];

const name = `kibana-panels-${randomBytes(4).toString('hex')}`;
const OBJECTS = shipped('hotitem.ndjson');
const RULES = shipped('hotitem-rules.ndjson');
const LENSES = new Map(OBJECTS.filter(({ type }) => type === 'lens').map((one) => [one.id, one]));
const BARS = [0, 1, 2, 3, 4].map((minute) => FROM + minute * MINUTE);

/** What each panel shows. */
const SHOWN: Record<string, Row[]> = {
  'total-views': [{ views: 7 }],
  // A visitor counts once however often he comes.
  visitors: [{ visitors: 3 }],
  'views-over-time': overTime({ views: [1, 5, 0, 1, 0] }),
  'visitors-over-time': overTime({ visitors: [1, 2, 0, 1, 0] }),
  'views-by-people': overTime({ views: [1, 5, 0, 1, 0] }),
  'no-views-over-time': overTime({
    bots: [0, 20, 0, 0, 0],
    prefetches: [0, 0, 0, 30, 0],
    others: [0, 0, 0, 0, 1],
  }),
  'top-items': [
    { item: '4711', views: 6, visitors: 2, bots: 0, prefetches: 0, others: 0, all: 6 },
    { item: '1001', views: 1, visitors: 1, bots: 20, prefetches: 30, others: 0, all: 51 },
    { item: '9', views: 0, visitors: 0, bots: 0, prefetches: 0, others: 1, all: 1 },
  ],
  rising: [
    { item: '4711', views: 6, before: 2, rise: 4 },
    { item: '1001', views: 1, before: 5, rise: -4 },
    { item: '77', views: 0, before: 3, rise: -3 },
    { item: '9', views: 0, before: 0, rise: 0 },
  ],
  categories: [
    { category: 'Shoes', views: 6, visitors: 2 },
    { category: 'Hats', views: 1, visitors: 1 },
  ],
  referrers: [
    { referrer: SHOP, views: 2, visitors: 2 },
    { referrer: 'https://search.example/', views: 1, visitors: 1 },
  ],
  'hot-periods': [
    { item: '4711', times: 1, rate: 400, visitors: 300, last: FROM + 3 * MINUTE },
    { item: '1001', times: 0, rate: 9, visitors: null, last: FROM + 2 * MINUTE + 1 },
  ],
  documents: [{ documents: 8 }],
  'views-per-document': [{ weight: (6 + 1 + 20 + 30 + 1 + 1) / 8 }],
  nodes: [{ nodes: 2 }],
  'test-views': [{ tests: 1 }],
  'documents-by-node': [
    ...overTime({ documents: [1, 2, 0, 2, 2] }).map((row) => ({ node: 'web-1', ...row })),
    { node: 'web-2', time: FROM + MINUTE, documents: 1 },
  ],
  'node-table': [
    {
      node: 'web-1',
      documents: 7,
      captured: FROM + 4 * MINUTE,
      indexed: expect.any(Number) as unknown as number,
    },
    {
      node: 'web-2',
      documents: 1,
      captured: FROM + MINUTE + 1,
      indexed: expect.any(Number) as unknown as number,
    },
  ],
  truncated: [
    { field: 'ua', documents: 2 },
    { field: 'ref', documents: 1 },
  ],
  decisions: [
    { action: 'enters', time: FROM + MINUTE, documents: 1 },
    { action: 'enters', time: FROM + 2 * MINUTE, documents: 1 },
    { action: 'leaves', time: FROM + 3 * MINUTE, documents: 1 },
    { action: 'stays', time: FROM + 2 * MINUTE, documents: 1 },
  ],
  'held-back': [
    { time: FROM + MINUTE, held: null },
    { time: FROM + 2 * MINUTE, held: 3 },
    { time: FROM + 3 * MINUTE, held: null },
  ],
};

/** The number of documents that each rule finds, and whether it fires. */
const FOUND: Record<string, [number, boolean]> = {
  'hotitem-rule-no-views': [7, false],
  'hotitem-rule-turned-hot': [1, true],
  'hotitem-rule-held-back': [1, true],
  'hotitem-rule-sampled': [3, true],
};

let elasticsearch: ElasticsearchPart;

suiteWith(['elasticsearch'])('what the shipped dashboards ask for, asked of a real Elasticsearch', () => {
  beforeAll(async () => {
    elasticsearch = await sharedElasticsearch();
    record(`${elasticsearch.describe}, the dashboards' questions`);
    const streams = { [name]: undefined, [`${name}_decisions`]: DECISIONS };
    for (const [dataStream, content] of Object.entries(streams)) {
      const { name: of, ...template } = indexTemplate({
        dataStream,
        ...(content !== undefined && { content }),
      });
      await send('PUT', `_index_template/${of}`, template);
    }
    const options = { node: elasticsearch.node, requestTimeoutMs: 30_000 };
    const index = createElasticsearchIndex({ ...options, dataStream: name });
    const decisions = createElasticsearchDecisions({ ...options, dataStream: `${name}_decisions` });
    const outcomes = [...(await index.create(EVENTS)), ...(await decisions.create(CHANGES))];
    await Promise.all([index.close(), decisions.close()]);
    expect(outcomes.map(({ status }) => status)).toEqual([...EVENTS, ...CHANGES].map(() => 'created'));
    await send('POST', `${name}*/_refresh`);
  }, STARTED_MS);
  afterAll(() => elasticsearch?.close(), STARTED_MS);

  test.each(Object.entries(SHOWN))('%s', async (id, rows) => {
    const object = LENSES.get(`hotitem-${id}`);
    const shown = object && (await askLens(OBJECTS, object, { search, range: RANGE }));
    expect(shown).toEqual(rows);
  });

  test('lines over the views are the decisions in force, and name the item and the reason', async () => {
    const object = LENSES.get('hotitem-views-over-time');
    const lines = object && (await askAnnotations(OBJECTS, object, { search, range: RANGE }));
    expect(lines).toEqual([
      {
        label: 'Turned hot',
        fields: {
          '@timestamp': [String(FROM + MINUTE)],
          'hot_item.id': ['4711'],
          'hot_item.signal': ['busy'],
          'event.reason': ['412 views/s over 10 s'],
        },
      },
      {
        label: 'Cooled',
        fields: {
          '@timestamp': [String(FROM + 3 * MINUTE)],
          'hot_item.id': ['4711'],
          'hot_item.signal': ['busy'],
        },
      },
    ]);
  });

  test.each(Object.entries(FOUND))('the rule %s', async (id, expected) => {
    const rule = RULES.find((one) => one.id === id);
    expect(await evaluate(rule)).toEqual(expected);
  });

  test('of every panel and every rule is tested here', () => {
    expect([...LENSES.keys()].toSorted()).toEqual(
      Object.keys(SHOWN)
        .map((id) => `hotitem-${id}`)
        .toSorted(),
    );
    expect(RULES.map(({ id }) => id)).toEqual(Object.keys(FOUND));
  });
});

const ruleParams = z.object({
  params: z.object({
    index: z.array(z.string()),
    timeField: z.string(),
    esQuery: z.string(),
    threshold: z.tuple([z.number()]),
    thresholdComparator: z.enum(['<', '>']),
  }),
});

/** Documents in the five minutes, and whether that is beyond the threshold. */
async function evaluate(rule: SavedObject | undefined): Promise<[number, boolean]> {
  const { params } = ruleParams.parse(rule?.attributes);
  const { query } = z.object({ query: z.looseObject({}) }).parse(JSON.parse(params.esQuery));
  const time = { range: { [params.timeField]: { gte: RANGE.from, lt: RANGE.to, format: 'epoch_millis' } } };
  const index = params.index.map((pattern) => pattern.replaceAll('hot_item', name)).join(',');
  const { count } = (await send('POST', `${index}/_count`, {
    query: { bool: { filter: [query, time] } },
  })) as {
    count: number;
  };
  const [threshold] = params.threshold;
  return [count, params.thresholdComparator === '<' ? count < threshold : count > threshold];
}

/** As built for the package, over the data streams of this suite. */
function shipped(file: string): SavedObject[] {
  const text = readFileSync(join(import.meta.dirname, '../../dist/kibana', file), 'utf8');
  const objects = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SavedObject);
  for (const { type, attributes } of objects) {
    if (type === 'index-pattern') attributes.title = String(attributes.title).replaceAll('hot_item', name);
  }
  return objects;
}

const search: Search = async (index, body) =>
  (await send('POST', `${index}/_search`, body)) as Awaited<ReturnType<Search>>;

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

/** A row for each bar, with a number of each column. */
function overTime(columns: Record<string, number[]>): Row[] {
  return BARS.map((time, i) => ({
    time,
    ...Object.fromEntries(Object.entries(columns).map(([id, values]) => [id, values[i]])),
  }));
}

type Seen = Pick<HotItemEvent, 'item' | 'weight' | 'kind' | 'bot' | 'ref' | 'node' | 'cut'> & {
  ip: string;
  at: number;
};

function view({ item, ip, at, node = 'web-1', ...rest }: Seen): HotItemEvent {
  return { v: 1, ...idAt(at), uri: `/web/item/${item}.html`, item, ip, node, ...rest };
}

function decision({ at, ...rest }: Partial<HotDecision> & { at: number }): HotDecision {
  return { ...DECISION, ...idAt(at), ...rest };
}

function idAt(at: number): { id: string; time: number } {
  const time = FROM + at;
  return { id: `${time.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`, time };
}
