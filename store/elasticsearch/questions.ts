import type { Client, estypes } from '@elastic/elasticsearch';
import * as z from 'zod';
import type {
  CategoriesQuery,
  CategoryViews,
  DecisionsQuery,
  EventQuestions,
  HotPeriodsQuery,
  ItemQuery,
  ItemViews,
  PastDecisions,
  Range,
  Ranking,
  RankingQuery,
  Rise,
  RisingQuery,
  SourcesQuery,
  TimeLineQuery,
  Totals,
} from '../event-questions.ts';
import { MOST_DECISIONS, periodsOf, REPEATED_MS } from '../hot-periods.ts';
import { withOthers } from '../item-views.ts';
import { CANDIDATES_EACH, firstOf, intervalsOf, risesOf, type WindowCounts, zeros } from '../rises.ts';
import { MOST_TEXTS, sourcesOf } from '../sources.ts';
import { complete, readAnswer, unexpected } from './answer.ts';
import { toUnavailable } from './client.ts';
import { requireField } from './field.ts';
import { PERIOD_FIELDS, toPeriodDecision } from './period-decision.ts';

/*
 * The questions as searches with aggregations. No scripts: a cluster may forbid them.
 */

const ITEM = 'hot_item.id';
const CATEGORY = 'hot_item.category';
const NAME = 'hot_item.name';
const TIME = '@timestamp';
const SOURCE_FIELD = {
  referrer: 'http.request.referrer',
  host: 'url.domain',
  utm_source: 'url.query',
} as const;
const MS = 'epoch_millis';
/** Of a rising item. The number of buckets of one search has a limit (`search.max_buckets`). */
const MOST_COMPARED = 10_000;

const sum = z.object({ value: z.number() });
/** Null where there is no document. */
const latest = z.object({ value: z.number().nullable() });
const counts = z.object({
  total: sum,
  last: latest,
  people: z.object({ views: sum, visitors: sum, last: latest }),
  bots: z.object({ views: sum }),
  prefetches: z.object({ views: sum }),
});
const buckets = <T extends z.ZodType>(one: T) => z.object({ buckets: z.array(one) });
const overTime = <Shape extends z.ZodRawShape>(shape: Shape) =>
  buckets(z.object({ key: z.number(), ...shape }));
const ofItem = z.object({ key: z.string() });

const ranking = z.object({ items: buckets(counts.extend(ofItem.shape)) });
const viewed = z.object({ items: buckets(ofItem.extend({ views: sum, visitors: sum, last: latest })) });
const requests = ofItem.extend({
  total: sum,
  bots: z.object({ views: sum }),
  prefetches: z.object({ views: sum }),
});
const besides = z.object({ items: buckets(requests).extend({ sum_other_doc_count: z.number() }) });
const compared = z.object({ items: buckets(ofItem.extend({ now: z.object({ views: sum }), views: sum })) });
const visited = z.object({ items: buckets(ofItem.extend({ windows: overTime({ visitors: sum }) })) });
const plotted = z.object({ items: buckets(ofItem.extend({ steps: overTime({ views: sum }) })) });
const line = z.object({ steps: overTime({ total: sum, people: z.object({ views: sum }) }) });
const texts = z.object({
  total: sum,
  none: z.object({ views: sum }),
  texts: buckets(z.object({ key: z.string(), views: sum })),
});
const all = counts.extend({ items: sum, first: latest });
const categories = z.object({ categories: buckets(counts.extend(ofItem.shape)) });
const youngest = z.object({ last: latest });
/** `sort`: the time. */
const hit = z.object({ _source: z.unknown(), sort: z.tuple([z.coerce.number()]) });
const hits = complete.extend({ hits: z.object({ hits: z.array(hit) }) });

const WEIGHT = { sum: { field: 'hot_item.weight' } } as const;
const LAST = { max: { field: TIME } } as const;
/** Up to so many visitors, Elasticsearch counts them; beyond that it estimates them, off by 1 % on average. */
const PRECISE = 3_000;
/** A sketch for so many takes 16 KB: of ten thousand items that would be more than Elasticsearch allows a search. These take 1 KB, and are off by 3 %. */
const ROUGH = 100;
type Precision = typeof PRECISE | typeof ROUGH;
/** Up to so many items or categories that are found, visitors are counted with the usual precision. */
const MOST_PRECISE = 200;
const BOT = { term: { 'hot_item.bot': true } } as const;
/** A view by `hotitem doctor`. */
const TEST = { term: { 'hot_item.kind': 'test' } } as const;
/** It was not hot: the cap held it back. */
const HELD = { term: { 'event.action': 'held' } } as const;
const NO_VIEW = { exists: { field: 'hot_item.kind' } } as const;
const BY_PEOPLE: Query = { bool: { must_not: [NO_VIEW, BOT] } };
const NOT_BY_PEOPLE: Query = { bool: { should: [NO_VIEW, BOT], minimum_should_match: 1 } };
const PEOPLE_VIEWS = { filter: BY_PEOPLE, aggs: { views: WEIGHT } };
const BOTS_AND_PREFETCHES: Aggregations = {
  bots: { filter: { bool: { must_not: [NO_VIEW], filter: [BOT] } }, aggs: { views: WEIGHT } },
  prefetches: { filter: { term: { 'hot_item.kind': 'prefetch' } }, aggs: { views: WEIGHT } },
};
const KINDS_OF_VIEWS = kindsOfViews(PRECISE);

type Aggregations = Record<string, estypes.AggregationsAggregationContainer>;
type Query = estypes.QueryDslQueryContainer;

export type QuestionsOptions = {
  client: Client;
  dataStream: string;
  decisionDataStream: string | undefined;
};

export function createQuestions(options: QuestionsOptions): EventQuestions {
  return {
    topItems: (query, signal) => asked(options, signal, (ask) => topItems(ask, query)),
    rising: (query, signal) => asked(options, signal, (ask) => rising(ask, query)),
    itemViews: (query, signal) => asked(options, signal, (ask) => itemViews(ask, query)),
    totals: (query, signal) => asked(options, signal, (ask) => totals(ask, query)),
    topCategories: (query, signal) => asked(options, signal, (ask) => topCategories(ask, query)),
    timeLine: (query, signal) => asked(options, signal, (ask) => timeLine(ask, query)),
    sources: (query, signal) => asked(options, signal, (ask) => sources(ask, query)),
    hotPeriods: (query, signal) => asked(options, signal, (ask) => hotPeriods(ask, query)),
    pastDecisions: (query, signal) => asked(options, signal, (ask) => pastDecisions(ask, query)),
    newest: (signal) => asked(options, signal, newest),
  };
}

/** One question. `signal` closes the connection of its request: then Elasticsearch cancels the search. */
type Ask = {
  /** Undefined where nothing was indexed yet. */
  aggregate<T>(
    schema: z.ZodType<T>,
    aggs: Aggregations,
    filter?: Query[],
    about?: string,
  ): Promise<T | undefined>;
  /** The latest decisions that match, except those that somebody else wrote into the data stream. */
  decisions(query: estypes.QueryDslBoolQuery, size: number): Promise<PastDecisions>;
  /** Throws where the index has no such field: then an empty answer would mean nothing. */
  requireMapped(field: string): Promise<void>;
};

async function asked<Answer>(
  { client, dataStream, decisionDataStream }: QuestionsOptions,
  signal: AbortSignal | undefined,
  question: (ask: Ask) => Promise<Answer>,
): Promise<Answer> {
  const options = signal === undefined ? {} : { signal };
  const whole = {
    // Nothing was indexed yet: that is an empty answer, not an error.
    ignore_unavailable: true,
    // A number without the documents of an unavailable shard would look like any other.
    allow_partial_search_results: false,
    track_total_hits: false,
  } as const;
  try {
    return await question({
      aggregate,
      decisions,
      requireMapped: (field) => requireField(client, dataStream, field),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw toUnavailable(error);
  }

  async function aggregate<T>(
    schema: z.ZodType<T>,
    aggs: Aggregations,
    filter: Query[] = [],
    about = 'a question',
  ) {
    const query = { bool: { filter, must_not: [TEST] } };
    const answer = await client.search({ index: dataStream, ...whole, size: 0, query, aggs }, options);
    const { _shards, aggregations } = readAnswer(
      complete.extend({ aggregations: z.unknown().optional() }),
      answer,
      about,
    );
    if (_shards.total === 0) return undefined;
    if (aggregations === undefined) throw unexpected(`${about}: aggregations`);
    return readAnswer(schema, aggregations, `${about}: aggregations`);
  }

  async function decisions(bool: estypes.QueryDslBoolQuery, size: number) {
    if (decisionDataStream === undefined) return { decisions: [] };
    const search = {
      index: decisionDataStream,
      ...whole,
      size,
      _source: PERIOD_FIELDS,
      query: { bool },
      sort: [{ [TIME]: { order: 'desc' as const, format: MS } }],
    };
    const answer = readAnswer(hits, await client.search(search, options), 'decisions');
    const found = answer.hits.hits;
    // Before those of somebody else are left out: what is left may be fewer than there are.
    const oldest = found.length === size ? found.at(-1)?.sort[0] : undefined;
    return {
      decisions: found.flatMap(({ _source }) => toPeriodDecision(_source) ?? []),
      ...(oldest !== undefined && { oldest }),
    };
  }
}

async function topItems(ask: Ask, query: RankingQuery): Promise<ItemViews[]> {
  if (query.rank !== 'all') return rankByPeople(ask, query);
  return preciselyIfFew(query.limit, (precision) => rankByAll(ask, query, precision));
}

/**
 * The items with the most views by people, then what else asked for these. In one search, each item has three times as many numbers,
 * which take more time than to count the views of a day. What is indexed between the two only adds to what else asked.
 */
async function rankByPeople(ask: Ask, query: RankingQuery): Promise<ItemViews[]> {
  const found = await preciselyIfFew(query.limit, (precision) => viewedByPeople(ask, query, precision));
  const others = await askedBesides(
    ask,
    query,
    found.map(({ item }) => item),
  );
  return found.map((one) => {
    const { total, bots, prefetches } = others.get(one.item) ?? {};
    return withOthers({
      ...one,
      bots: bots?.views.value ?? 0,
      prefetches: prefetches?.views.value ?? 0,
      all: one.views + (total?.value ?? 0),
    });
  });
}

/** What was no view by people, of each of `names` that has some. */
async function askedBesides(ask: Ask, query: RankingQuery, names: string[]) {
  if (names.length === 0) return new Map<string, z.output<typeof requests>>();
  // To find many by their names takes longer than to list all, where they are not many more.
  const all = names.length > MOST_PRECISE ? await list({ size: names.length * 2 }) : undefined;
  const isWhole = all?.items.sum_other_doc_count === 0;
  const found = isWhole ? all : await list({ size: names.length, include: names });
  return new Map(found?.items.buckets.map((one) => [one.key, one]));

  function list(which: { size: number; include?: string[] }) {
    const items = { terms: { field: ITEM, ...which }, aggs: { total: WEIGHT, ...BOTS_AND_PREFETCHES } };
    return ask.aggregate(besides, { items }, [...eventsOf(query), NOT_BY_PEOPLE], 'the ranking');
  }
}

async function viewedByPeople(ask: Ask, query: RankingQuery, precision: Precision) {
  const items = {
    terms: rankedBy(ITEM, 'views', query.limit),
    aggs: { views: WEIGHT, visitors: visitorsBy(precision), last: LAST },
  };
  const found = await ask.aggregate(viewed, { items }, [...eventsOf(query), BY_PEOPLE], 'the ranking');
  if (found?.items.buckets.length === 0) await ask.requireMapped(ITEM);
  return (found?.items.buckets ?? [])
    .map(({ key, views, visitors, last }) => ({
      item: key,
      views: views.value,
      visitors: visitors.value,
      ...(visitors.value > precision && { estimated: true as const }),
      last: last.value ?? 0,
    }))
    .filter(({ views }) => views > 0);
}

/** How many there are is only known afterwards. */
async function preciselyIfFew<Found>(
  limit: number,
  find: (precision: Precision) => Promise<Found[]>,
): Promise<Found[]> {
  if (limit <= MOST_PRECISE) return find(PRECISE);
  const found = await find(ROUGH);
  return found.length === 0 || found.length > MOST_PRECISE ? found : find(PRECISE);
}

async function rankByAll(ask: Ask, query: RankingQuery, precision: Precision): Promise<ItemViews[]> {
  const items = { terms: rankedBy(ITEM, 'total', query.limit), aggs: kindsOfViews(precision) };
  const found = await ask.aggregate(ranking, { items }, eventsOf(query), 'the ranking');
  if (found === undefined) return [];
  if (found.items.buckets.length === 0) await ask.requireMapped(ITEM);
  return found.items.buckets.map(({ key, ...counted }) => toItemViews(key, counted, 'all', precision));
}

/** `path`: of the number to order by. */
function rankedBy(field: string, path: string, limit: number): estypes.AggregationsTermsAggregation {
  return {
    field,
    size: limit,
    // Each shard orders by its own sums: asked for more than wanted, their union holds the right ones.
    shard_size: Math.min(limit * 10 + 100, limit + 10_000),
    order: [{ [path]: 'desc' }, { _key: 'asc' }],
  };
}

/** What a ranking counts. */
function eventsOf({ from, to, category, search }: RankingQuery): Query[] {
  const filters = [between(from, to)];
  if (category !== undefined) filters.push({ term: { [CATEGORY]: category } });
  if (search !== undefined) {
    const pattern = { value: `*${search.replaceAll(/[\\*?]/g, '\\$&')}*`, case_insensitive: true };
    const should = [{ wildcard: { [ITEM]: pattern } }, { wildcard: { [NAME]: pattern } }];
    filters.push({ bool: { should, minimum_should_match: 1 } });
  }
  return filters;
}

async function itemViews(ask: Ask, { item, from, to }: ItemQuery): Promise<ItemViews | undefined> {
  const found = await ask.aggregate(counts, KINDS_OF_VIEWS, [between(from, to), ofTheItem(item)]);
  if (found === undefined) return undefined;
  if (found.last.value !== null) return toItemViews(item, found, 'all');
  await ask.requireMapped(ITEM);
  return undefined;
}

async function totals(ask: Ask, { from, to }: Range): Promise<Totals> {
  const aggs = {
    ...KINDS_OF_VIEWS,
    items: { cardinality: { field: ITEM } },
    first: { min: { field: TIME } },
  };
  const found = await ask.aggregate(all, aggs, [between(from, to)], 'the totals');
  if (found === undefined)
    return { views: 0, bots: 0, prefetches: 0, others: 0, all: 0, visitors: 0, items: 0 };
  const { item: _, last: __, ...counted } = toItemViews('', found, 'all');
  const [first, last] = [found.first.value, found.last.value];
  return {
    ...counted,
    items: found.items.value,
    ...(first !== null && { first }),
    ...(last !== null && { last }),
  };
}

async function topCategories(ask: Ask, query: CategoriesQuery): Promise<CategoryViews[]> {
  return preciselyIfFew(query.limit, (precision) => rankCategories(ask, query, precision));
}

async function rankCategories(
  ask: Ask,
  { from, to, limit, rank = 'people' }: CategoriesQuery,
  precision: Precision,
): Promise<CategoryViews[]> {
  const path = rank === 'people' ? 'people>views' : 'total';
  const terms = { ...rankedBy(CATEGORY, path, limit), missing: '' };
  const aggs = { categories: { terms, aggs: kindsOfViews(precision) } };
  const found = await ask.aggregate(categories, aggs, [between(from, to)], 'the categories');
  return (found?.categories.buckets ?? [])
    .map(({ key, ...counted }) => {
      const { item: category, ...views } = toItemViews(key, counted, rank, precision);
      return { category, ...views };
    })
    .filter(({ views }) => rank === 'all' || views > 0);
}

async function timeLine(ask: Ask, { item, from, to, stepMs }: TimeLineQuery) {
  const steps = { date_histogram: intervals(from, stepMs), aggs: { total: WEIGHT, people: PEOPLE_VIEWS } };
  const filter = item === undefined ? [between(from, to)] : [between(from, to), ofTheItem(item)];
  const found = await ask.aggregate(line, { steps }, filter);
  const length = Math.ceil((to - from) / stepMs);
  const all = zeros(length);
  const people = zeros(length);
  for (const { key, total, people: by } of found?.steps.buckets ?? []) {
    const at = (key - from) / stepMs;
    all[at] = total.value;
    people[at] = by.views.value;
  }
  return { people, all };
}

async function sources(ask: Ask, query: SourcesQuery) {
  const { item, from, to, by } = query;
  const field = SOURCE_FIELD[by];
  const aggs = {
    total: WEIGHT,
    none: { missing: { field }, aggs: { views: WEIGHT } },
    texts: {
      terms: { field, size: MOST_TEXTS, order: [{ views: 'desc' as const }, { _key: 'asc' as const }] },
      aggs: { views: WEIGHT },
    },
  };
  const found = await ask.aggregate(texts, aggs, [between(from, to), ofTheItem(item), BY_PEOPLE]);
  if (found === undefined) return { top: [], rest: 0 };
  const none = found.none.views.value;
  const all = found.texts.buckets.map(({ key, views }) => [key, views.value] as const);
  return sourcesOf(none > 0 ? [['', none] as const, ...all] : all, found.total.value, query);
}

async function rising(ask: Ask, query: RisingQuery): Promise<Rise[]> {
  const { to, windowMs, stepMs } = query;
  const from = firstOf(query);
  const candidates = await compare(ask, from, query);
  if (candidates.size === 0) return [];
  const windows = { date_histogram: intervals(from, windowMs), aggs: { visitors: visitorsBy(PRECISE) } };
  const counted = await each(ask, visited, [...candidates.keys()], { windows }, [
    between(from, to),
    BY_PEOPLE,
  ]);
  const rises = risesOf(
    counted.map(({ key, windows }): WindowCounts => {
      const now = windows.buckets.filter((one) => one.key === to - windowMs);
      const earlier = windows.buckets.filter((one) => one.key < to - windowMs);
      return {
        item: key,
        visitors: visitors(now),
        earlier: visitors(earlier),
        views: candidates.get(key) ?? 0,
      };
    }),
    query,
  );
  if (rises.length === 0) return [];
  const steps = { date_histogram: intervals(from, stepMs), aggs: { views: WEIGHT } };
  const names = rises.map(({ item }) => item);
  const drawn = await each(ask, plotted, names, { steps }, [between(from, to), BY_PEOPLE]);
  const points = new Map(drawn.map(({ key, steps }) => [key, steps.buckets]));
  return rises.map((rise) => {
    const line = zeros(intervalsOf(query));
    for (const { key, views } of points.get(rise.item) ?? []) line[(key - from) / stepMs] = views.value;
    return { ...rise, series: line };
  });
}

/** Views in the window, of the items whose views by people have risen most. */
async function compare(
  ask: Ask,
  from: number,
  { to, windowMs, limit, leastVisitors }: RisingQuery,
): Promise<Map<string, number>> {
  const now = { filter: between(to - windowMs, to), aggs: { views: WEIGHT } };
  const items = {
    terms: {
      field: ITEM,
      size: MOST_COMPARED,
      min_doc_count: leastVisitors,
      order: [{ 'now>views': 'desc' as const }, { _key: 'asc' as const }],
    },
    aggs: { now, views: WEIGHT },
  };
  const found = await ask.aggregate(compared, { items }, [between(from, to), BY_PEOPLE]);
  if (found?.items.buckets.length === 0) await ask.requireMapped(ITEM);
  const steepest = (found?.items.buckets ?? [])
    .filter((one) => one.now.views.value >= leastVisitors)
    .map(({ key, now, views }) => {
      const before = Math.max(1, views.value - now.views.value);
      return { item: key, views: now.views.value, ratio: now.views.value / before };
    })
    .sort((a, b) => b.ratio - a.ratio || (a.item < b.item ? -1 : 1));
  return new Map(steepest.slice(0, limit * CANDIDATES_EACH).map(({ item, views }) => [item, views]));
}

async function hotPeriods(ask: Ask, query: HotPeriodsQuery) {
  const { item, from, to } = query;
  const which =
    item === undefined ? { range: { [TIME]: { gte: from - REPEATED_MS, format: MS } } } : ofTheItem(item);
  const filter = [{ range: { 'event.start': { lt: to, format: MS } } }, which];
  const { decisions } = await ask.decisions({ filter, must_not: [HELD] }, MOST_DECISIONS);
  return periodsOf(decisions, query);
}

function pastDecisions(ask: Ask, { from, to, limit }: DecisionsQuery): Promise<PastDecisions> {
  return ask.decisions({ filter: [between(from, to)] }, limit);
}

async function newest(ask: Ask): Promise<number | undefined> {
  const found = await ask.aggregate(youngest, { last: LAST });
  return found?.last.value ?? undefined;
}

/** The named items, each with `aggs`. */
async function each<Item>(
  ask: Ask,
  schema: z.ZodType<{ items: { buckets: Item[] } }>,
  names: string[],
  aggs: Aggregations,
  filter: Query[],
): Promise<Item[]> {
  const items = { terms: { field: ITEM, size: names.length, include: names }, aggs };
  const ofThese = { terms: { [ITEM]: names } };
  return (await ask.aggregate(schema, { items }, [...filter, ofThese]))?.items.buckets ?? [];
}

function between(from: number, to: number): Query {
  return { range: { [TIME]: { gte: from, lt: to, format: MS } } };
}

function ofTheItem(item: string): Query {
  return { term: { [ITEM]: item } };
}

/** Intervals that begin at `from`; those without documents are left out. */
function intervals(from: number, ms: number): estypes.AggregationsDateHistogramAggregation {
  return { field: TIME, fixed_interval: `${ms}ms`, offset: `${from % ms}ms`, min_doc_count: 1 };
}

function visitors(windows: { visitors: { value: number } }[]): number {
  return windows.reduce((total, { visitors }) => total + visitors.value, 0);
}

function visitorsBy(precision: Precision): estypes.AggregationsAggregationContainer {
  return { cardinality: { field: 'hot_item.visitor', precision_threshold: precision } };
}

function kindsOfViews(precision: Precision): Aggregations {
  return {
    total: WEIGHT,
    last: LAST,
    people: { filter: BY_PEOPLE, aggs: { views: WEIGHT, visitors: visitorsBy(precision), last: LAST } },
    ...BOTS_AND_PREFETCHES,
  };
}

function toItemViews(
  item: string,
  counted: z.output<typeof counts>,
  rank: Ranking,
  precision: Precision = PRECISE,
): ItemViews {
  const { total, last, people, bots, prefetches } = counted;
  return withOthers({
    item,
    views: people.views.value,
    bots: bots.views.value,
    prefetches: prefetches.views.value,
    all: total.value,
    visitors: people.visitors.value,
    ...(people.visitors.value > precision && { estimated: true as const }),
    last: (rank === 'people' ? people.last : last).value ?? 0,
  });
}
