import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kindOf } from '../../app/dead-letters-within.ts';
import { survey } from '../../bench/sink-index.ts';
import type { HotItemEvent } from '../../event/event.ts';
import { loadConfig } from '../../service/config/config.ts';
import { askIndex } from '../../status/ask-index.ts';
import { knownCause } from '../../status/known-causes.ts';
import { asked } from '../../store/elasticsearch/ask.ts';
import { connectElasticsearch } from '../../store/elasticsearch/client.ts';
import { createElasticsearchDecisions, DECISIONS } from '../../store/elasticsearch/decisions.ts';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import { createElasticsearchLookup } from '../../store/elasticsearch/lookup.ts';
import type { LastRanking } from '../../store/elasticsearch/people-ranking.ts';
import { topItems } from '../../store/elasticsearch/rankings.ts';
import { type SetupOptions, setupElasticsearch } from '../../store/elasticsearch/setup.ts';
import { indexTemplate, TEMPLATE_VERSION } from '../../store/elasticsearch/template.ts';
import type { DecisionIndex, EventIndex, Outcome } from '../../store/event-index.ts';
import type { RankingQuery } from '../../store/event-questions.ts';
import { documentOf, type EcsDocument } from '../parts/ecs-document.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { DECISION } from '../parts/hot-decision.ts';
import { sharedElasticsearch } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { itIsAnIndex, type Texts, view } from './index-contract.ts';
import { itAnswersQuestions } from './questions-contract.ts';

const START_MS = 300_000;
/** Of the names of this run's data streams. */
const PREFIX = `hot_item-${randomBytes(3).toString('hex')}-`;
const RETRY = (reason: RegExp) => ({
  status: 'retry',
  why: 'refused',
  reason: expect.stringMatching(reason),
});

/** What the questions count by, as somebody else may map it. */
const COUNTED: Record<string, object> = {
  id: { type: 'keyword' },
  weight: { type: 'double' },
  kind: { type: 'keyword' },
  bot: { type: 'boolean' },
  visitor: { type: 'keyword' },
};
/** What one in five items each has beside views by people. */
const BESIDES: readonly Partial<HotItemEvent>[] = [
  { kind: 'prefetch' },
  { kind: 'prefetch', bot: true },
  { kind: 'head', bot: true },
  { bot: true },
  { kind: 'part' },
];
const WINDOWS = { windowMs: 600_000, windowsBefore: 6, leastVisitors: 1, leastRatio: 2, stepMs: 60_000 };

function counting(fields: object, more: object = {}): object {
  return {
    dynamic: false,
    properties: { '@timestamp': { type: 'date' }, hot_item: { properties: fields }, ...more },
  };
}

const PLACES = { includes: '/', node: undefined, caFile: undefined, dataStream: 'hot_item' };

/** What status calls what Elasticsearch says. */
function causesOf(outcomes: Outcome[]): unknown[] {
  const ids = outcomes.map((outcome) => 'reason' in outcome && knownCause(outcome.reason, PLACES)?.id);
  return [...new Set(ids)];
}

suiteWith(['elasticsearch'])('Elasticsearch', () => {
  let elasticsearch: ElasticsearchPart;
  const opened: EventIndex[] = [];
  beforeAll(async () => {
    elasticsearch = await sharedElasticsearch();
  }, START_MS);
  afterAll(async () => {
    await Promise.all(opened.map((index) => index.close()));
    // All at once: each request that changes something costs Elasticsearch as much as an index.
    await ask('DELETE', `_data_stream/${PREFIX}*`);
    await ask('DELETE', `_index_template/${PREFIX}*`);
    await ask('DELETE', `_index_template/theirs-${PREFIX}*`);
    await elasticsearch?.close();
  });

  describe('as an index', () => {
    const dataStream = newStream();
    const decisionDataStream = newStream();
    let index: EventIndex;
    let decisions: DecisionIndex;
    beforeAll(async () => {
      await setup({ dataStream });
      await setup({ dataStream: decisionDataStream, content: DECISIONS });
      const connection = { node: elasticsearch.node, requestTimeoutMs: 30_000 };
      index = createElasticsearchIndex({ ...connection, dataStream, decisionDataStream });
      decisions = createElasticsearchDecisions({ ...connection, dataStream: decisionDataStream });
    });
    afterAll(async () => {
      await index.close();
      await decisions.close();
    });

    itAnswersQuestions({
      index: () => index,
      decisions: () => decisions,
      refresh: () => refresh(`${dataStream},${decisionDataStream}`),
    });
    test('tells where to read on, also if somebody else wrote into the data stream of decisions', async () => {
      const time = Date.UTC(2026, 0, 5);
      const range = { from: time, to: time + 60_000 };
      await decisions.create([{ ...DECISION, time }]);
      const foreign = { '@timestamp': new Date(time + 7).toISOString(), message: 'not of hotitem' };
      await ask('POST', `${decisionDataStream}/_doc?refresh=true`, foreign);

      expect(await index.pastDecisions({ ...range, limit: 1 })).toEqual({
        decisions: [],
        oldest: time + 7,
      });
      const { decisions: own, oldest } = await index.pastDecisions({ ...range, limit: 2 });
      expect([own.length, oldest]).toEqual([1, time]);
      expect(await index.pastDecisions({ ...range, limit: 3 })).toEqual({ decisions: own });
    });

    itIsAnIndex({
      index: () => index,
      refresh: () => refresh(dataStream),
      async stored(id) {
        await refresh(dataStream);
        const query = { query: { ids: { values: [id] } } };
        const { hits } = await ask<Found>('POST', `${dataStream}/_search`, query);
        return hits.hits.map(({ _source }) => toTexts(_source));
      },
    });
  });

  describe('refuses', () => {
    const dataStream = newStream();
    let index: EventIndex;
    beforeAll(async () => {
      await setup({ dataStream });
      index = open(dataStream);
    });

    test('an event that its mapping rejects, and only that one', async () => {
      const beyondTheYear9999 = view({ time: 8.64e15 });

      const outcomes = await index.create([view(), beyondTheYear9999, view()]);
      expect(outcomes).toEqual([
        { status: 'created' },
        {
          status: 'rejected',
          reason: expect.stringMatching(/^document_parsing_exception: .*\[@timestamp\].{0,300}$/),
        },
        { status: 'created' },
      ]);
      // As the report groups and shows it.
      const reason = outcomes.map((one) => ('reason' in one ? kindOf(one.reason) : '')).join('');
      expect(reason).toMatch(/^document_parsing_exception: failed to parse .*\[@timestamp\]/);
      expect(reason).not.toMatch(/\[\d+:\d+\]|document with id|Preview/);
    });

    test('an event whose id invalidates the whole request, and only that one', async () => {
      const events = [view(), view(), view({ id: 'x'.repeat(513) }), view(), view()];

      const outcomes = await index.create(events);

      expect(outcomes.map(({ status }) => status)).toEqual([
        'created',
        'created',
        'rejected',
        'created',
        'created',
      ]);
      expect(outcomes[2]).toMatchObject({
        reason: expect.stringMatching(/^Validation Failed: 1: id \[x+…$/),
      });
    });
  });

  describe('is retried', () => {
    test.each([
      ['a block on writing', { 'index.blocks.write': true }, /^cluster_block_exception/],
      ['a full disk', { 'index.blocks.read_only_allow_delete': true }, /^cluster_block_exception/],
      ['an ingest pipeline that is not there', { 'index.default_pipeline': 'absent' }, /^illegal_argument/],
    ])('during %s, and accepts the event afterwards', async (_, block, reason) => {
      const dataStream = newStream();
      await setup({ dataStream });
      const index = open(dataStream);
      const event = view();
      await index.create([view()]);

      await ask('PUT', `${dataStream}/_settings`, block);
      expect(await index.create([event])).toEqual([RETRY(reason)]);

      await ask('PUT', `${dataStream}/_settings`, { [Object.keys(block)[0] ?? '']: null });
      expect(await index.create([event])).toEqual([{ status: 'created' }]);
    });

    test('as long as there is no template, and does not create an index', async () => {
      const dataStream = newStream();

      const outcomes = await open(dataStream).create([view(), view()]);

      expect(outcomes).toEqual([RETRY(/run `hotitem setup`/), RETRY(/run `hotitem setup`/)]);
      expect(causesOf(outcomes)).toEqual(['index-not-set-up']);
      expect(await ask('GET', dataStream)).toMatchObject({ status: 404 });
    });

    test('as long as an index or an alias has the name of the data stream', async () => {
      const dataStream = newStream();
      await ask('PUT', dataStream);
      await ask('PUT', `${dataStream}/_alias/${dataStream}-alias`);

      for (const name of [dataStream, `${dataStream}-alias`]) {
        const outcomes = await open(name).create([view()]);
        expect(outcomes).toEqual([RETRY(/is an index or an alias, not a data stream/)]);
        expect(causesOf(outcomes)).toEqual(['index-not-set-up']);
      }
      await ask('DELETE', dataStream);
    });

    test.each([
      ['strict', { mappings: { dynamic: 'strict', properties: { '@timestamp': { type: 'date' } } } }],
      ['of other types', { mappings: { properties: { url: { type: 'keyword' } } } }],
      [
        'of other times',
        { mappings: { properties: { '@timestamp': { type: 'date', format: 'epoch_second' } } } },
      ],
      ['too small', { settings: { 'index.mapping.total_fields.limit': 2 } }],
    ])('as long as the mapping is %s, and nothing becomes a dead letter', async (_, template) => {
      const dataStream = newStream();
      const theirs = { index_patterns: [dataStream], data_stream: {}, priority: 900, template };
      await ask('PUT', `_index_template/${dataStream}`, theirs);

      const outcomes = await open(dataStream).create(Array.from({ length: 50 }, () => view()));

      expect(outcomes).toEqual(Array(50).fill(RETRY(/mapping|accepts no event at all/)));
      expect(causesOf(outcomes)).toEqual(['index-not-set-up']);
    });

    test('has no number, as long as the mapping lacks the fields of the query', async () => {
      const dataStream = newStream();
      const template = { mappings: { dynamic: false, properties: { '@timestamp': { type: 'date' } } } };
      const theirs = { index_patterns: [dataStream], data_stream: {}, priority: 900, template };
      await ask('PUT', `_index_template/${dataStream}`, theirs);
      const index = open(dataStream);
      const event = view();
      expect(await index.create([event])).toEqual([{ status: 'created' }]);
      await refresh(dataStream);
      const lookup = createElasticsearchLookup({
        node: elasticsearch.node,
        requestTimeoutMs: 30_000,
        dataStream,
        refreshMs: 1000,
      });

      const unmapped = (field: string) => ({
        name: 'IndexUnavailable',
        message: expect.stringContaining(`${field} is unmapped in the data stream ${dataStream}`),
      });
      await expect(lookup.count([event.id])).rejects.toMatchObject(unmapped('event.id'));
      await expect(index.topItems({ from: 0, to: 2 ** 42, limit: 10 })).rejects.toMatchObject(
        unmapped('hot_item.id'),
      );
      await lookup.close();
    });

    test.each(Object.keys(COUNTED))(
      'has no numbers, as long as the mapping lacks the field %s',
      async (lacking) => {
        const dataStream = newStream();
        const { [lacking]: _, ...fields } = COUNTED;
        const index = await withMapping(dataStream, counting(fields));
        const range = { from: 0, to: 2 ** 42 };
        const list = { ...range, limit: 10 };
        const numbers = [
          index.topItems(list),
          index.topItems({ ...list, rank: 'all' }),
          index.topCategories(list),
          index.rising({ to: Date.now(), limit: 1, ...WINDOWS }),
          index.totals(range),
          index.itemViews({ ...range, item: '4711' }),
          index.timeLine({ ...range, stepMs: 2 ** 41 }),
          index.sources({ ...list, item: '4711', by: 'host' }),
        ];
        for (const answer of await Promise.allSettled(numbers)) {
          expect(answer).toMatchObject({
            status: 'rejected',
            reason: {
              name: 'IndexUnavailable',
              why: 'refused',
              message: expect.stringMatching(
                `^hot_item\\.${lacking} is unmapped in the data stream ${dataStream} \\(\\.ds-.+-000001\\): .hotitem setup. says`,
              ),
            },
          });
        }
      },
    );

    test('is named by hotitem status, as long as the mapping lacks a field', async () => {
      const dataStream = newStream();
      const { bot: _, ...fields } = COUNTED;
      const event = { properties: { id: { type: 'keyword' } } };
      await withMapping(dataStream, counting(fields, { event }), [view({ time: Date.now() })]);
      const env = { ELASTICSEARCH_NODE: elasticsearch.node, HOTITEM_ELASTICSEARCH_DATA_STREAM: dataStream };

      const state = await askIndex(loadConfig({ env, flags: {} }));

      expect(state?.problem).toBeUndefined();
      expect(state?.noNumbers).toMatch(/^hot_item\.bot is unmapped in the data stream /);
      expect(knownCause(state?.noNumbers ?? '', PLACES)?.id).toBe('index-lacks-field');
    });

    test('has no numbers from a backing index that lacks a field, and those from the others', async () => {
      const dataStream = newStream();
      const { bot: _, ...fields } = COUNTED;
      const [older, newer] = [Date.UTC(2026, 0, 5), Date.UTC(2026, 0, 6)];
      const range = (from: number) => ({ from, to: newer + 60_000 });
      const index = await withMapping(dataStream, counting(fields), [view({ time: older, bot: true })]);
      await putMapping(dataStream, counting({ ...COUNTED, weight: { type: 'float' } }));
      await ask('POST', `${dataStream}/_rollover`);
      await index.create([view({ time: newer }), view({ time: newer, bot: true })]);
      await refresh(dataStream);

      expect(await index.totals(range(newer))).toMatchObject({ views: 1, bots: 1 });
      await expect(index.totals(range(older))).rejects.toThrow(
        /^hot_item\.bot is unmapped in .* \(\.ds-.+-000001\): /,
      );

      // Once it is mapped there, too: types may differ, as long as they count the same.
      const properties = { hot_item: { properties: { bot: COUNTED.bot } } };
      await ask('PUT', `${dataStream}/_mapping`, { properties });
      expect(await index.totals(range(older))).toMatchObject({ all: 3 });
    });

    // A name is compared as it was indexed: in lower case, or as an address.
    test.each<[string, object, string]>([
      ['in lower case', { type: 'keyword', normalizer: 'lowercase' }, 'Item '],
      ['that are not indexed', { type: 'keyword', index: false }, 'Item '],
      ['that are addresses', { type: 'ip' }, '203.0.113.'],
    ])('ranks many items of a month, by names %s', async (_, id, name) => {
      const views = Array.from({ length: 250 }, (_, i) => view({ item: `${name}${i}` }));
      const index = await withMapping(newStream(), counting({ ...COUNTED, id }), [
        ...views,
        view({ item: `${name}7` }),
      ]);
      const rank = () => index.topItems({ from: 0, to: 2 ** 42, limit: 1_000 });
      const found = await rank();
      expect(found).toHaveLength(250);
      expect(await rank()).toEqual(found);
    });

    test('says what failed in a search', async () => {
      const dataStream = newStream();
      const index = await withMapping(dataStream, {
        properties: { '@timestamp': { type: 'date' }, hot_item: { properties: { id: { type: 'text' } } } },
      });
      await expect(index.topItems({ from: 0, to: 2 ** 42, limit: 10 })).rejects.toMatchObject({
        name: 'IndexUnavailable',
        message: expect.stringMatching(/\(400\): .*\[hot_item\.id\]/),
      });
    });

    /** With these views in it. */
    async function withMapping(dataStream: string, mappings: object, views = [view()]): Promise<EventIndex> {
      await putMapping(dataStream, mappings);
      const index = open(dataStream);
      expect(await index.create(views)).toEqual(views.map(() => ({ status: 'created' })));
      await refresh(dataStream);
      return index;
    }

    /** For the next backing index. */
    async function putMapping(dataStream: string, mappings: object): Promise<void> {
      const theirs = { index_patterns: [dataStream], data_stream: {}, priority: 900, template: { mappings } };
      await ask('PUT', `_index_template/${dataStream}`, theirs);
    }
  });

  test('has no items, and no answer to any question, before there is anything', async () => {
    const index = open(newStream());
    const range = { item: '4711', from: 0, to: 2 ** 42 };
    expect(await index.topItems({ from: 0, to: 2 ** 42, limit: 10 })).toEqual([]);
    expect(await index.itemViews(range)).toBeUndefined();
    expect(await index.timeLine({ ...range, stepMs: 2 ** 41 })).toEqual({ people: [0, 0], all: [0, 0] });
    expect(await index.sources({ ...range, by: 'host', limit: 1 })).toEqual({ top: [], rest: 0 });
    expect(await index.hotPeriods({ ...range, limit: 1 })).toEqual([]);
    expect(await index.newest()).toBeUndefined();
    expect(await index.rising({ to: 2 ** 42, limit: 1, ...WINDOWS })).toEqual([]);
  });

  test('counts visitors also of events from before documents had a number for each', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const index = open(dataStream);
    const [older, newer] = [Date.UTC(2026, 0, 5), Date.UTC(2026, 0, 6)];
    const to = newer + 60_000;
    const visits = (time: number, ips: string[]) => ips.map((ip) => view({ time, ip, category: 'Shoes' }));
    for (const event of visits(older, ['203.0.113.1', '203.0.113.2', '203.0.113.2'])) {
      const { hot_item, ...document } = documentOf(event);
      const { visitor_number: _, ...unnumbered } = hot_item;
      await ask('PUT', `${dataStream}/_create/${event.id}`, { ...document, hot_item: unnumbered });
    }
    await index.create(visits(newer, ['203.0.113.2', '203.0.113.3']));
    await refresh(dataStream);

    const [both, onlyNewer] = [
      { from: older, to },
      { from: newer, to },
    ];
    for (const limit of [10, 10_000]) {
      for (const rank of ['people', 'all'] as const) {
        const query = { rank, limit };
        expect(await index.topItems({ ...both, ...query })).toMatchObject([{ views: 5, visitors: 3 }]);
        expect(await index.topItems({ ...onlyNewer, ...query })).toMatchObject([{ views: 2, visitors: 2 }]);
        expect(await index.topCategories({ ...both, ...query })).toMatchObject([{ views: 5, visitors: 3 }]);
      }
    }
  });

  test('counts visitors by their numbers where every event has one', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const index = open(dataStream);
    const event = view();
    const { hot_item, ...document } = documentOf(event);
    for (const visitor of ['one', 'another']) {
      const numbered = { ...hot_item, visitor, visitor_number: 7 };
      await ask('POST', `${dataStream}/_doc`, { ...document, hot_item: numbered });
    }
    await refresh(dataStream);

    const range = { from: event.time, to: event.time + 1 };
    expect(await index.topItems({ ...range, limit: 10 })).toMatchObject([{ views: 2, visitors: 1 }]);
  });

  test.each([
    ['of an index', {}, () => {}],
    ['of an index with several shards', { shards: 3 }, () => {}],
    ['of several indices', {}, (name: string) => ask('POST', `${name}/_rollover`)],
  ])('ranks many items of a month half by half as all at once: %s', async (_, options, between) => {
    const dataStream = newStream();
    await setup({ dataStream, ...options });
    const index = open(dataStream);
    const from = Date.UTC(2026, 0, 1);
    const range = { from, to: from + 31 * 86_400_000 };
    // Many items have as many views as others, though not on the same of three days.
    const viewsOn = (day: number) =>
      Array.from({ length: 230 }, (_, i) => {
        const one = { item: `item ${i}`, time: from + (day * 10 + 1) * 86_400_000 + i };
        const count = 1 + (Math.floor(i / 20) % 4) + (i % 3 === day ? 1 : 0);
        const views = Array.from({ length: count }, (_, n) =>
          view({ ...one, time: one.time + n, ip: `203.0.113.${(n % 2) + day}` }),
        );
        return [...views, view({ ...one, time: one.time + 99, ...BESIDES[i % 5] })];
      }).flat();
    const check = async (views: number) => {
      await refresh(dataStream);
      for (const limit of [201, 229, 10_000]) {
        // Not half by half after a list that was cut off.
        const fresh = open(dataStream);
        const found = await fresh.topItems({ ...range, limit });
        expect(found).toHaveLength(Math.min(limit, 230));
        // A ranking of what contains a text finds all of them in one search.
        expect(found).toEqual(await fresh.topItems({ ...range, limit, search: '' }));
        expect(found[0]?.views).toBe(views);
        // The second time, halves are those before and from a name on.
        expect(await fresh.topItems({ ...range, limit })).toEqual(found);
      }
    };

    for (const day of [0, 1, 2]) {
      await index.create(viewsOn(day));
      await refresh(dataStream);
      await between(dataStream);
    }
    await check(13);
    // From now on weights are summed up.
    await index.create([view({ item: 'item 7', time: from + 1, weight: 500 })]);
    await check(504);
  });

  test('ranks an item whose name is behind those that a half lists', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const time = Date.UTC(2026, 0, 7);
    const names = Array.from({ length: 500 }, (_, i) => `item ${i}`);
    const most = ['last of all', 'z last of all'];
    const views = [...names, ...most, ...most].map((item, i) => view({ item, time: time + i }));
    await open(dataStream).create(views);
    await refresh(dataStream);

    const found = await open(dataStream).topItems({ from: 0, to: 2 ** 42, limit: 201 });

    expect(found).toHaveLength(201);
    expect(found.slice(0, 3).map(({ item, views }) => [item, views])).toEqual([
      ['last of all', 2],
      ['z last of all', 2],
      ['item 0', 1],
    ]);
  });

  test('splits many items where half of the work was, and elsewhere once that has moved', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const time = Date.UTC(2026, 0, 7);
    // The last third has most of the views.
    const viewsOf = (item: number) => (item < 200 ? 1 : 9);
    const views = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: viewsOf(i) }, () => view({ item: `item ${1_000 + i}`, time: time + i })),
    ).flat();
    await open(dataStream).create(views);
    await refresh(dataStream);
    const client = connectElasticsearch({ node: elasticsearch.node, requestTimeoutMs: 30_000 });
    const before: LastRanking = { isCutOff: false };
    const rank = () =>
      asked({ client, dataStream, decisionDataStream: undefined }, undefined, (ask) =>
        topItems(ask, { from: 0, to: 2 ** 42, limit: 1_000 }, before),
      );

    const found = await rank();
    // Of 1,100 views and 300 items.
    expect(before.middle).toBe('item 1213');
    for (const [last, next] of [
      ['item 1213', 'item 1213'],
      ['item 1220', 'item 1220'],
      ['item 1000', 'item 1213'],
      ['item 2000', 'item 1213'],
    ]) {
      before.middle = last;
      expect(await rank()).toEqual(found);
      expect(before).toEqual({ isCutOff: false, middle: next });
    }
    await client.close();
  });

  test('ranks in one list while there are more items than are asked for', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const index = open(dataStream);
    const time = Date.UTC(2026, 0, 7);
    await index.create(Array.from({ length: 210 }, (_, i) => view({ item: `item ${i}`, time: time + i })));
    await refresh(dataStream);
    const searches = async () => {
      const { _all } = await ask<{ _all: { total: { search: { query_total: number } } } }>(
        'GET',
        `${dataStream}/_stats/search`,
      );
      return _all.total.search.query_total;
    };
    const rank = async (limit: number, more: Partial<RankingQuery> = {}) => {
      const before = await searches();
      const found = await index.topItems({ from: 0, to: 2 ** 42, limit, ...more });
      expect(found).toHaveLength(Math.min(limit, 210));
      return (await searches()) - before;
    };

    const inHalves = await rank(209);
    expect(await rank(209)).toBe(inHalves - 1);
    // What is not of all items, or not of days, says nothing about those.
    for (const more of [{ search: 'item' }, { from: time, to: time + 3_600_000 }]) await rank(210, more);
    expect([await rank(210), await rank(210)]).toEqual([inHalves - 1, inHalves]);
  });

  test('cancels aborted queries', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const index = open(dataStream);
    const time = Date.UTC(2026, 0, 7);
    await index.create(Array.from({ length: 3_000 }, (_, i) => view({ item: `item ${i}`, time })));
    await refresh(dataStream);
    const searches = async () => {
      const { nodes } = await ask<Tasks>('GET', '_tasks?actions=indices:data/read/search*&detailed');
      const tasks = Object.values(nodes).flatMap((node) => Object.values(node.tasks));
      return tasks.filter(({ description }) => description.includes(dataStream)).length;
    };

    // Nothing was viewed in the last window, so nothing is asked about what rises in it.
    const twoSearches = { ...WINDOWS, limit: 50 };
    const later = time + 2 * WINDOWS.windowMs;
    let asked = 0;
    /** Why questions failed that were aborted while some of them ran. */
    const reasonsOfAborted = async () => {
      // Of so many some run and the others wait for their turn.
      const askers = Array.from({ length: 40 }, () => new AbortController());
      asked += 2 * askers.length;
      let areAnswered = false;
      const outcomes = Promise.allSettled(
        askers.map(({ signal }, i) => index.rising({ ...twoSearches, to: later + i }, signal)),
      ).finally(() => {
        areAnswered = true;
      });
      const run = async () => areAnswered || (await searches()) > 0;
      await until(run, { timeoutMs: 60_000, what: 'searches to run' });
      for (const asker of askers) asker.abort(new Error('the client disconnected'));
      return (await outcomes).flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    };

    // Where this process stood still, all of them were answered meanwhile, or had run before they were aborted.
    const reasons = await until(
      async () => {
        const some = await reasonsOfAborted();
        await until(async () => (await searches()) === 0, { timeoutMs: 60_000, what: 'searches to end' });
        const { _all } = await ask<Stats>('GET', `${dataStream}/_stats/search`);
        return some.length > 0 && _all.total.search.query_total < asked ? some : undefined;
      },
      { timeoutMs: 120_000, what: 'questions to be aborted while they run, and to run no more' },
    );
    expect(new Set(reasons)).toEqual(new Set(['Error: the client disconnected']));
  }, 300_000);

  describe('setup', () => {
    test('creates what is missing, and has nothing to do the second time', async () => {
      const dataStream = newStream();
      const change = (action: string) =>
        expect.objectContaining({ what: `index template ${dataStream}`, action });

      expect(await setup({ dataStream, dryRun: true })).toContainEqual(change('create'));
      expect(await setup({ dataStream })).toContainEqual(change('create'));
      await open(dataStream).create([view()]);
      const again = await setup({ dataStream });

      expect(again).toContainEqual(change('unchanged'));
      expect(new Set(again.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    });

    test('changes nothing in a dry run', async () => {
      const dataStream = newStream();

      await setup({ dataStream, dryRun: true });

      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({ status: 404 });
    });

    test('applies changed settings to the template and to existing objects', async () => {
      const dataStream = newStream();
      await setup({ dataStream });
      await open(dataStream).create([view()]);

      const changes = await setup({ dataStream, retentionDays: 7, refreshSeconds: 5 });

      expect(changes).toContainEqual({
        what: `index template ${dataStream}`,
        action: 'update',
        settings: [
          { name: 'index.refresh_interval', from: '1s', to: '5s' },
          { name: 'lifecycle.data_retention', from: '30d', to: '7d' },
        ],
      });
      expect(changes).toContainEqual({
        what: `settings of ${dataStream}`,
        action: 'update',
        settings: [{ name: 'index.refresh_interval', from: '1s', to: '5s' }],
      });
      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({
        index_templates: [{ index_template: { template: { lifecycle: { data_retention: '7d' } } } }],
      });
      const settings = Object.values(await ask<object>('GET', `${dataStream}/_settings`));
      expect(settings).toEqual([
        { settings: { index: expect.objectContaining({ refresh_interval: '5s' }) } },
      ]);
    });

    test('adds fields to the backing index that is written to', async () => {
      const dataStream = newStream();
      const { name, template, ...rest } = indexTemplate({ dataStream });
      const older = { mappings: { dynamic: false, properties: { '@timestamp': { type: 'date' } } } };
      await ask('PUT', `_index_template/${name}`, { ...rest, template: { ...template, ...older } });
      const index = open(dataStream);
      await index.create([view()]);

      const changes = await setup({ dataStream });

      expect(changes).toContainEqual(
        expect.objectContaining({ what: `mapping of ${dataStream}`, action: 'update' }),
      );
      await index.create([view({ item: 'found' })]);
      await refresh(dataStream);
      expect(await index.topItems({ from: 0, to: 2 ** 42, limit: 10 })).toMatchObject([{ item: 'found' }]);
    });

    test('says what to do if an existing mapping cannot be changed', async () => {
      const dataStream = newStream();
      const { name, template, ...rest } = indexTemplate({ dataStream });
      const other = { mappings: { dynamic: true } };
      await ask('PUT', `_index_template/${name}`, { ...rest, template: { ...template, ...other } });
      await open(dataStream).create([view()]);

      await expect(setup({ dataStream })).rejects.toThrow(
        /cannot be changed from type .* POST \/.*\/_rollover/,
      );

      await ask('POST', `${dataStream}/_rollover`);
      expect(new Set((await setup({ dataStream })).map(({ action }) => action))).toEqual(
        new Set(['unchanged']),
      );
    });

    test.each([
      [
        'of a newer version',
        { managed_by: 'hotitem', version: 99 },
        new RegExp(`has version 99, this hotitem supports ${TEMPLATE_VERSION}`),
      ],
      ['that somebody else made', {}, /was not created by hotitem/],
    ])('does not change a template %s', async (_, meta, message) => {
      const dataStream = newStream();
      const template = { index_patterns: [dataStream], data_stream: {}, priority: 500, _meta: meta };
      await ask('PUT', `_index_template/${dataStream}`, template);

      await expect(setup({ dataStream })).rejects.toThrow(message);

      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({
        index_templates: [{ index_template: { _meta: meta } }],
      });
    });

    test('does not change an index or an alias with the name, and says which it is', async () => {
      const dataStream = newStream();
      await ask('PUT', dataStream);
      await ask('PUT', `${dataStream}/_alias/${dataStream}-alias`);

      await expect(setup({ dataStream })).rejects.toThrow(`${dataStream} is an index, not a data stream`);
      await expect(setup({ dataStream: `${dataStream}-alias` })).rejects.toThrow(
        `${dataStream}-alias is an alias for ${dataStream}, not a data stream`,
      );

      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({ status: 404 });
      await ask('DELETE', dataStream);
    });

    describe('beside another template with a higher priority', () => {
      const theirs = (dataStream: string) => `theirs-${dataStream}`;
      const put = (dataStream: string, template: object) =>
        ask('PUT', `_index_template/${theirs(dataStream)}`, {
          index_patterns: [`${dataStream}*`],
          priority: 900,
          ...template,
        });

      test.each([
        ['plain', { template: { settings: { number_of_replicas: 0 } } }, /creates no data stream/],
        [
          'dynamic',
          { data_stream: {}, template: { mappings: { dynamic: true } } },
          /has (\S+: not set, )*event\.id: not set, .* and \d+ more: /,
        ],
        [
          'strict',
          { data_stream: {}, template: { mappings: { dynamic: 'strict' } } },
          /has (\S+: not set, )*event\.id: not set, /,
        ],
        [
          'with a field of another type',
          { data_stream: {}, template: { mappings: fieldOf(indexTemplate({ dataStream: 'x' }), 'long') } },
          /has hot_item\.id: long: /,
        ],
      ])('that is %s, names it, and creates nothing', async (_, template, message) => {
        const dataStream = newStream();
        await put(dataStream, template);
        const named = new RegExp(`${theirs(dataStream)} \\(priority 900, for ${dataStream}\\*\\) overrides`);

        for (const dryRun of [true, false]) {
          await expect(setup({ dataStream, dryRun })).rejects.toThrow(named);
          await expect(setup({ dataStream, dryRun })).rejects.toThrow(message);
        }

        expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({ status: 404 });
      });

      test('that was added later, names it, too', async () => {
        const dataStream = newStream();
        await setup({ dataStream });
        await open(dataStream).create([view()]);
        await put(dataStream, { data_stream: {} });

        await expect(setup({ dataStream })).rejects.toThrow(
          /overrides that of hotitem \(priority 500\) for /,
        );
      });

      test('that has the same priority, names it, and works with another', async () => {
        const dataStream = newStream();
        await put(dataStream, { priority: 500, data_stream: {} });

        await expect(setup({ dataStream })).rejects.toThrow(
          new RegExp(`${theirs(dataStream)} .* with the same priority as that of hotitem: set another`),
        );

        expect(await setup({ dataStream, priority: 501 })).toContainEqual({
          what: `index template ${dataStream}`,
          action: 'create',
        });
      });

      test('applies if its own priority is raised above that', async () => {
        const dataStream = newStream();
        await setup({ dataStream });
        await put(dataStream, { data_stream: {}, template: { mappings: { dynamic: 'strict' } } });

        expect(await setup({ dataStream, priority: 901 })).toContainEqual({
          what: `index template ${dataStream}`,
          action: 'update',
          settings: [{ name: 'priority', from: '500', to: '901' }],
        });

        expect(await setup({ dataStream })).toContainEqual({
          what: `index template ${dataStream}`,
          action: 'unchanged',
        });
        expect(await open(dataStream).create([view()])).toEqual([{ status: 'created' }]);
      });

      test('accepts it if it has every field', async () => {
        const dataStream = newStream();
        const { mappings } = indexTemplate({ dataStream }).template;
        await put(dataStream, {
          data_stream: {},
          template: { mappings: { ...mappings, dynamic: 'strict' } },
        });

        expect(await setup({ dataStream })).toEqual([
          {
            what: `index template ${dataStream}`,
            action: 'unchanged',
            note: expect.stringMatching(/^the index template theirs-.* applies, and has every field$/),
          },
        ]);

        expect(await open(dataStream).create([view()])).toEqual([{ status: 'created' }]);
      });
    });

    describe('in objects that an operator has changed', () => {
      test('changes only the given settings', async () => {
        const dataStream = newStream();
        await setup({ dataStream });
        const { name, template, ...rest } = indexTemplate({ dataStream });
        const settings = {
          index: { number_of_replicas: '1', codec: 'best_compression', refresh_interval: '9s' },
        };
        const mappings = {
          ...template.mappings,
          properties: { ...template.mappings.properties, own: { type: 'keyword' } },
        };
        const lifecycle = { data_retention: '400d' };
        await ask('PUT', `_index_template/${name}`, { ...rest, template: { settings, mappings, lifecycle } });
        await open(dataStream).create([view()]);
        const before = await ask<Templates>('GET', `_index_template/${name}`);

        expect(new Set((await setup({ dataStream })).map(({ action }) => action))).toEqual(
          new Set(['unchanged']),
        );
        expect(await ask('GET', `_index_template/${name}`)).toEqual(before);

        const changes = await setup({ dataStream, refreshSeconds: 5 });
        expect(changes).toContainEqual({
          what: `index template ${dataStream}`,
          action: 'update',
          settings: [{ name: 'index.refresh_interval', from: '9s', to: '5s' }],
        });
        const after = structuredClone(before);
        Object.assign(after.index_templates[0]?.index_template.template.settings.index ?? {}, {
          refresh_interval: '5s',
        });
        expect(await ask('GET', `_index_template/${name}`)).toEqual(after);
      });

      test('adds the fields that its template lacks, and keeps everything else', async () => {
        const dataStream = newStream();
        const { name, template, ...rest } = indexTemplate({ dataStream });
        const { url: _, ...properties } = template.mappings.properties ?? {};
        const mappings = { dynamic: 'runtime', properties: { ...properties, own: { type: 'keyword' } } };
        const older = { version: 1, _meta: { ...rest._meta, version: 1, team: 'web' } };
        await ask('PUT', `_index_template/${name}`, { ...rest, ...older, template: { mappings } });

        expect(await setup({ dataStream })).toContainEqual({
          what: `index template ${dataStream}`,
          action: 'update',
          settings: [
            { name: 'version', from: '1', to: String(TEMPLATE_VERSION) },
            ...['path', 'query', 'domain', 'original'].map((field) => ({
              name: `url.${field}`,
              from: 'not set',
              to: 'keyword',
            })),
          ],
        });

        const answer = await ask<Templates>('GET', `_index_template/${name}`);
        expect(answer.index_templates[0]?.index_template).toMatchObject({
          _meta: { team: 'web', version: TEMPLATE_VERSION },
          template: {
            mappings: {
              dynamic: 'runtime',
              properties: { own: { type: 'keyword' }, url: { properties: {} } },
            },
          },
        });
        expect(answer.index_templates[0]?.index_template.template).not.toHaveProperty('lifecycle');
      });
    });

    test('does not affect other names', async () => {
      const dataStream = newStream();
      await setup({ dataStream });

      const outcomes = await open(`${dataStream}_archive`).create([view()]);

      expect(outcomes).toEqual([RETRY(/run `hotitem setup`/)]);
    });
  });

  test('the count of `bench sink` finds a missing and a duplicate event, over many pages', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const events = Array.from({ length: 50 }, () => view());
    const [lost, ...stored] = events;
    const [doubled] = stored;
    await open(dataStream).create(stored);
    await refresh(dataStream);
    await ask('POST', `${dataStream}/_rollover`);
    const { hits } = await ask<Found>('POST', `${dataStream}/_search`, {
      query: { ids: { values: [doubled?.id] } },
    });
    await ask('POST', `${dataStream}/_doc?op_type=create`, hits.hits[0]?._source);

    const ids = events.map(({ id }) => id);
    expect(await survey(elasticsearch.node, dataStream, ids, 7)).toEqual({ missing: 1, twice: 1 });
    const found = ids.filter((id) => id !== lost?.id);
    expect(await survey(elasticsearch.node, dataStream, found, 7)).toEqual({ missing: 0, twice: 1 });
  });

  function newStream(): string {
    return `${PREFIX}${randomBytes(5).toString('hex')}`;
  }

  function open(dataStream: string, requestTimeoutMs = 30_000): EventIndex {
    const index = createElasticsearchIndex({ node: elasticsearch.node, requestTimeoutMs, dataStream });
    opened.push(index);
    return index;
  }

  function setup(options: Partial<SetupOptions>): ReturnType<typeof setupElasticsearch> {
    const defaults = { node: elasticsearch.node, requestTimeoutMs: 30_000, dryRun: false };
    return setupElasticsearch({ ...defaults, dataStream: 'hot_item', ...options });
  }

  /** A stream is there with its first document. */
  async function refresh(dataStream: string): Promise<void> {
    await ask('POST', `${dataStream}/_refresh?ignore_unavailable=true`);
  }

  async function ask<Answer = unknown>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${elasticsearch.node}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Answer;
  }
});

type Templates = {
  index_templates: {
    index_template: { _meta?: object; template: { settings: { index: object }; mappings: object } };
  }[];
};

/** Our mapping, but for the type of one field. */
function fieldOf({ template }: { template: { mappings: object } }, type: string): object {
  const mappings = JSON.stringify(template.mappings);
  return JSON.parse(
    mappings.replace(
      '"hot_item":{"properties":{"id":{"type":"keyword","ignore_above":1024}',
      `"hot_item":{"properties":{"id":{"type":"${type}"}`,
    ),
  ) as object;
}

type Tasks = { nodes: Record<string, { tasks: Record<string, { description: string }> }> };
type Stats = { _all: { total: { search: { query_total: number } } } };
type Found = { hits: { hits: { _source: EcsDocument }[] } };

function toTexts({ url, hot_item, user_agent, http }: EcsDocument): Texts {
  const headers = { ua: user_agent?.original, ref: http?.request.referrer };
  return { uri: url.path, args: url.query, item: hot_item.id, ...headers };
}
