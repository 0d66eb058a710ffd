import * as z from 'zod';
import type {
  DecisionsQuery,
  EventQuestions,
  HotPeriodsQuery,
  ItemQuery,
  ItemViews,
  PastDecisions,
  Range,
  SourcesQuery,
  TimeLineQuery,
  Totals,
} from '../event-questions.ts';
import { MOST_DECISIONS, periodsOf, REPEATED_MS } from '../hot-periods.ts';
import { firstOf, zeros } from '../rises.ts';
import { MOST_TEXTS, sourcesOf } from '../sources.ts';
import { type Ask, asked, type QuestionsOptions } from './ask.ts';
import type { LastRanking } from './people-ranking.ts';
import { topCategories, topItems } from './rankings.ts';
import { rising } from './rising.ts';
import {
  BY_PEOPLE,
  between,
  buckets,
  counts,
  ITEM,
  intervals,
  kindsOfViews,
  LAST,
  latest,
  MS,
  ofTheItem,
  overTime,
  PEOPLE_VIEWS,
  PRECISE,
  sum,
  TIME,
  toItemViews,
  WEIGHT,
} from './views.ts';

/*
 * The questions as searches with aggregations. No scripts: a cluster may forbid them.
 */

const SOURCE_FIELD = {
  referrer: 'http.request.referrer',
  host: 'url.domain',
  utm_source: 'url.query',
} as const;
/** It was not hot: the cap held it back. */
const HELD = { term: { 'event.action': 'held' } } as const;
const KINDS_OF_VIEWS = kindsOfViews(PRECISE);

const line = z.object({ steps: overTime({ total: sum, people: z.object({ views: sum }) }) });
const texts = z.object({
  total: sum,
  none: z.object({ views: sum }),
  texts: buckets(z.object({ key: z.string(), views: sum })),
});
const all = counts.extend({ items: sum, first: latest });
const youngest = z.object({ last: latest });

export function createQuestions(options: QuestionsOptions): EventQuestions {
  const lastRanking: LastRanking = { isCutOff: false };
  return {
    topItems: (query, signal) => counting(query, signal, (ask) => topItems(ask, query, lastRanking)),
    rising: (query, signal) =>
      counting({ from: firstOf(query), to: query.to }, signal, (ask) => rising(ask, query)),
    itemViews: (query, signal) => counting(query, signal, (ask) => itemViews(ask, query)),
    totals: (query, signal) => counting(query, signal, (ask) => totals(ask, query)),
    topCategories: (query, signal) => counting(query, signal, (ask) => topCategories(ask, query)),
    timeLine: (query, signal) => counting(query, signal, (ask) => timeLine(ask, query)),
    sources: (query, signal) => counting(query, signal, (ask) => sources(ask, query)),
    hotPeriods: (query, signal) => asked(options, signal, (ask) => hotPeriods(ask, query)),
    pastDecisions: (query, signal) => asked(options, signal, (ask) => pastDecisions(ask, query)),
    newest: (signal) => asked(options, signal, newest),
  };

  /** A number from an index without all the fields that it comes from would look like any other. */
  function counting<Answer>(
    range: Range,
    signal: AbortSignal | undefined,
    question: (ask: Ask) => Promise<Answer>,
  ): Promise<Answer> {
    return asked(options, signal, async (ask) => {
      const [answer] = await Promise.all([question(ask), ask.requireMapped(range)]);
      return answer;
    });
  }
}

async function itemViews(ask: Ask, { item, from, to }: ItemQuery): Promise<ItemViews | undefined> {
  const found = await ask.aggregate(counts, KINDS_OF_VIEWS, [between(from, to), ofTheItem(item)]);
  if (found === undefined || found.last.value === null) return undefined;
  return toItemViews(item, found, 'all');
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
