import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { HotItemEvent } from '../event/event.ts';
import { mix } from '../event/mix.ts';
import { type DuckdbIndex, openDuckdbIndex } from '../store/duckdb/duckdb.ts';
import { createElasticsearchDecisions } from '../store/elasticsearch/decisions.ts';
import { createElasticsearchIndex } from '../store/elasticsearch/elasticsearch.ts';
import type { DecisionIndex, EventIndex } from '../store/event-index.ts';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { startElasticsearch } from '../test/parts/elasticsearch.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { DECISION } from '../test/parts/hot-decision.ts';
import { until } from '../test/parts/until.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { parsedPerCpuSecond } from './json-parse.ts';
import { percentile, round } from './statistics.ts';
import { atMost } from './target.ts';

/*
 * How long the questions of the page take, over 31 days of views of 10,000 items, of which few have most of the views. Warm: each is asked
 * before it is measured, often enough for the code of a server that was just started to be compiled.
 */

const IN_DUCKDB = 10_000_000;
const IN_ELASTICSEARCH = 1_000_000;
const QUICK = 100_000;
const DECISIONS = 5_000;
const ITEMS = 10_000;
const DAY = 86_400_000;
const HOUR = 3_600_000;
const SPAN = 31 * DAY;
/** In the middle of a quarter of a day (docs/decisions/0023-closed-spans.md): what is not in closed spans is as long as on average. */
const TO = Date.UTC(2026, 10, 27, 15);
const MOST_MS = 300;
/** The same as a ratio: `JSON.parse` reads so many of these events in 300 ms on a machine that nothing disturbs, and half as many in a bad hour. */
const MOST_PARSED = 280_000;
const RUNS = 100;
/**
 * The first sixteen of a new Elasticsearch take two to six times as long as those after the thirtieth, and its longest ranking a sixth longer
 * after a hundred than after three hundred: Java compiles what is used much once more.
 */
const WARM_UPS = { duckdb: 30, elasticsearch: 300 };
const LONGEST_WARM_UP_MS = 90_000;
/** A question that is slow is asked less often. */
const LONGEST_MS = 40_000;
const BATCH = 2_000;

export const query: Bench = {
  about: 'the questions of the page: 10 million views in DuckDB, 1 million in Elasticsearch',
  async run({ report, quick, isWanted }) {
    const cases: Case[] = [];
    const of = (engine: string) => QUESTIONS.filter(({ name }) => isWanted(`${engine}: ${name}`));
    const [inFile, inCluster] = [of('duckdb'), of('elasticsearch')];
    if (inFile.length > 0) cases.push(...(await inDuckdb(quick ? QUICK : IN_DUCKDB, inFile, report)));
    if (inCluster.length > 0)
      cases.push(...(await inElasticsearch(quick ? QUICK : IN_ELASTICSEARCH, inCluster, report)));
    return outcome(cases);
  },
};

async function inDuckdb(
  views: number,
  questions: Question[],
  report: (line: string) => void,
): Promise<Case[]> {
  const { path: folder, remove } = temporaryFolder('query');
  const path = join(folder, 'hotitem.duckdb');
  const made = await openDuckdbIndex({ path });
  await fillDecisions(made.decisions);
  await made.close();
  await fillDuckdb(path, views);
  report(`DuckDB: ${views} views`);
  const index = await openDuckdbIndex({ path, now: () => TO, retentionDays: 32 });
  try {
    await closeSpans(index, report);
    return await measure('duckdb', index, questions, report);
  } finally {
    await index.close();
    remove();
  }
}

/** As a sidecar does in the background. */
async function closeSpans(index: DuckdbIndex, report: (line: string) => void): Promise<void> {
  const before = await index.stats();
  const began = performance.now();
  let spans = 0;
  while ((await index.closeSpan()) !== undefined) spans++;
  const took = performance.now() - began;
  const { bytes, events } = await index.stats();
  report(
    `DuckDB: ${spans} closed spans, each in ${round(took / spans)} ms; in all ${round((bytes - before.bytes) / 1e6)} MB beside the ${round(before.bytes / 1e6)} MB of ${events} views`,
  );
}

async function inElasticsearch(
  views: number,
  questions: Question[],
  report: (line: string) => void,
): Promise<Case[]> {
  const elasticsearch = await startElasticsearch({ javaOptions: '-Xms1g -Xmx1g', likeDistributed: true });
  const connection = { node: elasticsearch.node, requestTimeoutMs: 60_000 };
  await setUpIndexes({ ELASTICSEARCH_NODE: elasticsearch.node });
  const streams = { dataStream: 'hot_item', decisionDataStream: 'hot_item_decisions' };
  const index = createElasticsearchIndex({ ...connection, ...streams });
  const decisions = createElasticsearchDecisions({ ...connection, dataStream: streams.decisionDataStream });
  try {
    await fillDecisions(decisions);
    await fillElasticsearch(index, views, report);
    await fetch(`${elasticsearch.node}/_refresh`, { method: 'POST' });
    await forgetAnswers(elasticsearch.node);
    await mergesToEnd(elasticsearch.node);
    report(`${elasticsearch.describe}: ${views} views`);
    return await measure('elasticsearch', index, questions, report);
  } finally {
    await decisions.close();
    await index.close();
    await elasticsearch.close();
  }
}

/**
 * Elasticsearch keeps the answer of a search until the next view is indexed. A shop has one each second, and the page never asks about the
 * same range again; the bench does both, and would measure what was kept.
 */
async function forgetAnswers(node: string): Promise<void> {
  const response = await fetch(`${node}/hot_item,hot_item_decisions/_settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ 'index.requests.cache.enable': false }),
  });
  if (!response.ok) throw new Error(`Elasticsearch keeps answers: ${await response.text()}`);
}

/** The fill writes as many views in two minutes as a shop in a month, and leaves merges behind that take a core meanwhile. */
async function mergesToEnd(node: string): Promise<void> {
  await until(async () => (await merging(node)) === 0, { timeoutMs: 120_000, what: 'merges to end' });
}

async function merging(node: string): Promise<number> {
  const response = await fetch(`${node}/_stats/merge`);
  const { _all } = (await response.json()) as { _all: { total: { merges: { current: number } } } };
  return _all.total.merges.current;
}

/** Made by the database itself: ten million rows in a minute. */
async function fillDuckdb(path: string, views: number): Promise<void> {
  const instance = await DuckDBInstance.create(path, { threads: '2' });
  const connection = await instance.connect();
  await connection.run(`
    INSERT INTO events (id, time, uri, item, ip, host, method, ua, ref, node, kind, bot, weight)
    SELECT uuid(), make_timestamp_ms(${TO - SPAN} + (nth * ${SPAN / views})::BIGINT), '/item/' || item, item::VARCHAR,
      '203.0.' || hash(nth * 7) % 40 || '.' || hash(nth * 3) % 250, 'shop.example', 'GET',
      'Mozilla/5.0 (X11; Linux x86_64) Chrome/' || hash(nth * 11) % 40,
      CASE hash(nth * 13) % 3 WHEN 0 THEN NULL WHEN 1 THEN 'https://www.google.com/' ELSE 'https://shop.example/c/' || hash(nth) % 500 END,
      'web-1', CASE WHEN hash(nth * 17) % 20 = 0 THEN 'prefetch' END, hash(nth * 19) % 10 = 0, 1
    FROM (SELECT nth, floor(pow(${ITEMS}, (hash(nth) % 1000000) / 1000000.0))::BIGINT AS item FROM range(${views}) numbers(nth))`);
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}

async function fillElasticsearch(
  index: EventIndex,
  views: number,
  report: (line: string) => void,
): Promise<void> {
  let next = 0;
  await Promise.all([send(), send(), send()]);

  async function send(): Promise<void> {
    while (next < views) {
      const from = next;
      next += BATCH;
      const events = Array.from({ length: BATCH }, (_, i) => viewOf(from + i, views));
      const outcomes = await index.create(events);
      if (outcomes.some(({ status }) => status !== 'created')) throw new Error('a view was not created');
      if (from % 100_000 === 0) report(`${from} views in Elasticsearch`);
    }
  }
}

function viewOf(nth: number, views: number): HotItemEvent {
  const time = Math.floor(TO - SPAN + (nth * SPAN) / views);
  const chance = (of: number) => scattered(nth, of) / 2 ** 32;
  const item = Math.floor(ITEMS ** chance(0));
  const refs = [undefined, 'https://www.google.com/', `https://shop.example/c/${nth % 500}`];
  const ref = refs[nth % refs.length];
  return {
    v: 1,
    id: time.toString(16).padStart(12, '0') + nth.toString(16).padStart(20, '0'),
    time,
    uri: `/item/${item}`,
    item: String(item),
    ip: `203.0.${Math.floor(chance(2) * 40)}.${Math.floor(chance(4) * 250)}`,
    ua: `Mozilla/5.0 (X11; Linux x86_64) Chrome/${Math.floor(chance(6) * 40)}`,
    host: 'shop.example',
    method: 'GET',
    node: 'web-1',
    ...(ref !== undefined && { ref }),
    ...(chance(8) < 0.05 && { kind: 'prefetch' as const }),
    ...(chance(10) < 0.1 && { bot: true }),
  };
}

/** 32 bits that follow from both, mixed: without that, few of the possible visitors would be made. */
function scattered(nth: number, of: number): number {
  return mix(Math.imul(nth + 1, 0x9e3779b1) ^ Math.imul(of + 1, 0x85ebca6b)) >>> 0;
}

/** Each item is hot for ten minutes now and then. */
async function fillDecisions(decisions: DecisionIndex): Promise<void> {
  const all = Array.from({ length: DECISIONS }, (_, i) => {
    const since = Math.floor(TO - SPAN + ((i >> 1) * SPAN * 2) / DECISIONS);
    const change = i % 2 === 0 ? ('enters' as const) : ('leaves' as const);
    const time = change === 'enters' ? since : since + 600_000;
    return {
      ...DECISION,
      id: i.toString(16).padStart(32, '0'),
      item: String(1 + ((i >> 1) % 50)),
      since,
      time,
      change,
    };
  });
  for (let i = 0; i < all.length; i += BATCH) await decisions.create(all.slice(i, i + BATCH));
}

type Question = { name: string; ask: (index: EventIndex) => Promise<unknown> };

const RISING = {
  windowMs: 600_000,
  windowsBefore: 6,
  leastVisitors: 10,
  leastRatio: 2,
  stepMs: 60_000,
  limit: 50,
};
const ranking = (name: string, spanMs: number, limit: number): Question => ({
  name: `ranking, ${name}, ${limit} items`,
  ask: (index) => index.topItems({ from: TO - spanMs, to: TO, limit }),
});
const QUESTIONS: Question[] = [
  ranking('1 hour', HOUR, 200),
  ranking('24 hours', DAY, 10_000),
  ranking('7 days', 7 * DAY, 10_000),
  ranking('31 days', SPAN, 200),
  ranking('31 days', SPAN, 10_000),
  { name: 'rising', ask: (index) => index.rising({ ...RISING, to: TO }) },
  {
    name: 'time line, 24 hours',
    ask: (index) => index.timeLine({ item: '1', from: TO - DAY, to: TO, stepMs: 300_000 }),
  },
  {
    name: 'time line, 31 days',
    ask: (index) => index.timeLine({ item: '1', from: TO - SPAN, to: TO, stepMs: HOUR }),
  },
  {
    name: 'distinct visitors, 31 days',
    ask: (index) => index.itemViews({ item: '1', from: TO - SPAN, to: TO }),
  },
  {
    name: 'referrers, 31 days',
    ask: (index) => index.sources({ item: '1', from: TO - SPAN, to: TO, by: 'referrer', limit: 8 }),
  },
  {
    name: 'hot periods of an item',
    ask: (index) => index.hotPeriods({ item: '1', from: TO - SPAN, to: TO, limit: 50 }),
  },
  {
    name: 'hot periods of all, 24 hours',
    ask: (index) => index.hotPeriods({ from: TO - DAY, to: TO, limit: 50 }),
  },
];

async function measure(
  name: keyof typeof WARM_UPS,
  index: EventIndex,
  questions: Question[],
  report: (line: string) => void,
): Promise<Case[]> {
  const cases: Case[] = [];
  const events = Array.from({ length: 1_000 }, (_, nth) => JSON.stringify(viewOf(nth, 1_000)));
  for (const { name: question, ask } of questions) {
    const warm = performance.now() + LONGEST_WARM_UP_MS;
    for (let i = 0; i < WARM_UPS[name] && performance.now() < warm; i++) await ask(index);
    const parsedBefore = parsedPerCpuSecond(events);
    const times: number[] = [];
    const end = performance.now() + LONGEST_MS;
    while (times.length < RUNS && performance.now() < end) {
      const began = performance.now();
      await ask(index);
      times.push(performance.now() - began);
    }
    const parsedPerMs = (parsedBefore + parsedPerCpuSecond(events)) / 2_000;
    const p99 = percentile(times, 0.99);
    const one = {
      case: `${name}: ${question}`,
      p50_ms: round(percentile(times, 0.5)),
      p99_ms: round(p99),
      p99_parsed: round(p99 * parsedPerMs, 0),
      runs: times.length,
    };
    report(`${one.case}: p50 ${one.p50_ms} ms, p99 ${one.p99_ms} ms`);
    cases.push(one);
  }
  return cases;
}

function outcome(cases: Case[]): Outcome {
  return {
    tables: [{ title: 'questions of the page, warm', cases }],
    targets: [
      ...cases.map((one) => atMost(`${one.case}: p99, ms`, Number(one.p99_ms), MOST_MS)),
      ...cases.map((one) => atMost(`${one.case}: p99, events parsed`, Number(one.p99_parsed), MOST_PARSED)),
    ],
    notes: [
      `A question that takes long is asked for ${LONGEST_MS / 1000} s only: see runs.`,
      'p99_parsed: how many such events JSON.parse reads in that time, measured before and after each question. Milliseconds tell what a reader waits; this can be compared between machines and hours.',
    ],
  };
}
