import type { estypes } from '@elastic/elasticsearch';
import * as z from 'zod';
import type { ItemViews, RankingQuery } from '../event-questions.ts';
import { withOthers } from '../item-views.ts';
import type { Ask } from './ask.ts';
import { statusOf } from './client.ts';
import {
  eventsOf,
  MOST_PRECISE,
  preciselyIfFew,
  rankedBy,
  UNNUMBERED,
  visitorFieldOf,
} from './ranking-searches.ts';
import {
  BOTS,
  BY_PEOPLE,
  buckets,
  ITEM,
  LAST,
  latest,
  NOT_BY_PEOPLE,
  NUMBER,
  OTHERS,
  ofItem,
  type Precision,
  type Query,
  sum,
  type VisitorField,
  visitorsBy,
  WEIGHT,
} from './views.ts';

/*
 * The items with the most views by people. docs/decisions/0026-a-ranking-by-people-is-two-searches.md says why they are asked for like this.
 */

/**
 * Of so long a time, two searches at once find half of many items each. A search looks at most views one after the other, on one core, because
 * merges put them into one segment. In a shorter time, there may be more items than views, and each of these searches hashes the names of all.
 */
const LONG_MS = 2 * 86_400_000;

/** How far the work of a half may be from 1, where both make 2. */
const MOST_UNEVEN = 0.2;

/** Elasticsearch writes each time as a text too, which nothing reads: so it is the year. */
const LAST_OF_MANY = { max: { ...LAST.max, format: 'uuuu' } };

/** Of documents whose weights are all 1, these are not summed up. */
const weighed = z.object({ doc_count: z.number(), views: sum.optional() });
/** How many documents are of items that are not listed. */
const unlisted = { sum_other_doc_count: z.number() };
const viewedItems = z.object({
  items: buckets(weighed.extend({ ...ofItem.shape, visitors: sum, last: latest })).extend(unlisted),
});
const besides = z.object({
  items: buckets(weighed.extend({ ...ofItem.shape, bots: weighed })).extend(unlisted),
  others: z.object({ items: buckets(weighed.extend(ofItem.shape)).extend(unlisted) }),
});

/** By load shedding, or a sample. If no event matches, Elasticsearch sees that without looking at one. */
const WEIGHTED: Query = {
  bool: {
    should: [
      { range: { [WEIGHT.sum.field]: { lt: 1 } } },
      { range: { [WEIGHT.sum.field]: { gt: 1 } } },
      { bool: { must_not: [{ exists: { field: WEIGHT.sum.field } }] } },
    ],
    minimum_should_match: 1,
  },
};

/** What the last rankings that could be asked for in halves show about the next. */
export type LastRanking = {
  /** There were more items than were asked for. */
  isCutOff: boolean;
  /** Items before this name take about half of the work. Undefined: not known. */
  middle?: string | undefined;
  /** The cluster does not compare names (`search.allow_expensive_queries: false`). */
  isRangeRefused?: boolean;
};

type Viewed = { item: string; views: number; visitors: number; isEstimated: boolean; last: number };
type Found = { items: Viewed[]; isCutOff: boolean };
type Besides = { all: number; bots: number; prefetches: number };

const NONE: Besides = { all: 0, bots: 0, prefetches: 0 };

type How = {
  /** Whether an event has a weight other than 1. */
  isWeighted: boolean;
  visitors: estypes.AggregationsAggregationContainer;
  precision: Precision;
  before: LastRanking;
};

/**
 * The items with the most views by people, and what else asked for these. Changes `before`. In one search, each item has three times as many numbers,
 * which take more time than to count the views of a day. What is indexed meanwhile may be in one of these searches only.
 */
export async function rankByPeople(ask: Ask, query: RankingQuery, before: LastRanking): Promise<ItemViews[]> {
  const events = eventsOf(query);
  const [field, isWeighted] = await particularsOf(ask, events);
  const [found, all] = await Promise.all([
    preciselyIfFew(query.limit, (precision) =>
      viewedByPeople(ask, query, { isWeighted, visitors: visitorsBy(precision, field), precision, before }),
    ),
    // To find many by their names takes longer than to list all, where they are not many more.
    query.limit > MOST_PRECISE ? askedBesides(ask, query, isWeighted, { size: query.limit * 2 }) : undefined,
  ]);
  if (found.length === 0) return [];
  const include = found.map(({ item }) => item);
  const others = all ?? (await askedBesides(ask, query, isWeighted, { size: include.length, include }));
  return found.map(({ item, views, visitors, isEstimated, last }) => {
    const { bots, prefetches, all } = others?.get(item) ?? NONE;
    const counted: ItemViews = withOthers({
      item,
      views,
      bots,
      prefetches,
      all: views + all,
      visitors,
      last,
    });
    if (isEstimated) counted.estimated = true;
    return counted;
  });
}

async function viewedByPeople(ask: Ask, query: RankingQuery, how: How) {
  const { before } = how;
  const isOfAll = isLongListOfAll(query);
  if (isOfAll && !before.isCutOff) {
    const halves = await viewedInHalves(ask, query, how);
    const all = halves.flatMap(({ items }) => items).sort(byViews);
    const isCutOff = halves.some((half) => half.isCutOff);
    before.isCutOff = isCutOff || all.length > query.limit;
    // Each half is complete, or lacks the last by name, which may be those with the most views.
    if (!isCutOff) return all.slice(0, query.limit);
  }
  const ranked = rankedBy(ITEM, how.isWeighted ? 'views' : '_count', query.limit);
  const { items, isCutOff } = await viewed(ask, query, how, { terms: ranked });
  if (isOfAll) before.isCutOff = isCutOff;
  return items.sort(byViews);
}

/**
 * The items before a name and those from it on; at first those of two halves by a hash of their names, which takes longer. Listed by name, as
 * Elasticsearch has them: it would sort them by their views, and by their names again to merge the lists of shards. Changes `before`.
 */
async function viewedInHalves(ask: Ask, query: RankingQuery, how: How): Promise<Found[]> {
  const { before } = how;
  const terms = { field: ITEM, size: query.limit, order: { _key: 'asc' as const } };
  const { middle } = before;
  if (middle !== undefined && !before.isRangeRefused) {
    const ranges = [{ lt: middle }, { gte: middle }];
    try {
      const halves = await Promise.all(
        ranges.map((range) => viewed(ask, query, how, { terms, filter: [{ range: { [ITEM]: range } }] })),
      );
      before.middle = middleOf(halves, middle);
      return halves;
    } catch (error) {
      if (statusOf(error) !== 400) throw error;
      before.isRangeRefused = true;
    }
  }
  const halves = await Promise.all(
    [0, 1].map((partition) =>
      viewed(ask, query, how, { terms: { ...terms, include: { partition, num_partitions: 2 } } }),
    ),
  );
  before.middle = middleOf(halves);
  return halves;
}

/**
 * The name before which is half of the work: half of it goes into the views, and half into the items. It is `last` as long as that is near
 * it, because Elasticsearch remembers which documents a filter finds.
 */
function middleOf(halves: Found[], last?: string): string | undefined {
  const items = halves.flatMap(({ items }) => items);
  const all = items.reduce((sum, { views }) => sum + views, 0);
  const workOf = ({ views }: Viewed) => views / all + 1 / items.length;
  const below = halves[0]?.items.reduce((sum, item) => sum + workOf(item), 0) ?? 0;
  if (last !== undefined && Math.abs(below - 1) < MOST_UNEVEN) return last;
  let work = 0;
  return items.sort(byName).find((item) => {
    work += workOf(item);
    return work > 1;
  })?.item;
}

async function viewed(
  ask: Ask,
  query: RankingQuery,
  { isWeighted, visitors, precision }: How,
  { terms, filter = [] }: { terms: estypes.AggregationsTermsAggregation; filter?: Query[] },
): Promise<Found> {
  const aggs = { ...(isWeighted && { views: WEIGHT }), visitors, last: LAST_OF_MANY };
  const which = [...eventsOf(query), BY_PEOPLE, ...filter];
  const found = await ask.aggregate(viewedItems, { items: { terms, aggs } }, which, 'the ranking');
  const items = (found?.items.buckets ?? [])
    .map((one) => ({
      item: one.key,
      views: viewsIn(one),
      visitors: one.visitors.value,
      isEstimated: one.visitors.value > precision,
      last: one.last.value ?? 0,
    }))
    .filter(({ views }) => views > 0);
  return { items, isCutOff: (found?.items.sum_other_doc_count ?? 0) > 0 };
}

/**
 * Whether halves of it may be found sooner. For few items, the visitors of others are not counted, and to find these twice costs more. So it does for a
 * category, or for a text, which is compared with each name, because each search hashes the names of all items.
 */
function isLongListOfAll({ from, to, limit, category, search }: RankingQuery): boolean {
  return limit > MOST_PRECISE && to - from >= LONG_MS && category === undefined && search === undefined;
}

function byViews(a: Viewed, b: Viewed): number {
  return b.views - a.views || byName(a, b);
}

function byName(a: Viewed, b: Viewed): number {
  return a.item < b.item ? -1 : 1;
}

/** What was no view by people, of each item that has some. Undefined where a list is cut off. */
async function askedBesides(
  ask: Ask,
  query: RankingQuery,
  isWeighted: boolean,
  which: { size: number; include?: string[] },
): Promise<Map<string, Besides> | undefined> {
  const weights = isWeighted ? { aggs: { views: WEIGHT } } : {};
  // By name, because that is how Elasticsearch has them: to find the largest of all would be of no use.
  const terms = { field: ITEM, ...which, order: { _key: 'asc' as const } };
  const aggs = {
    items: { terms, aggs: { ...weights.aggs, bots: { filter: BOTS, ...weights } } },
    // Few items have any. To count prefetches below each item instead takes as long as to count bots.
    others: { filter: OTHERS, aggs: { items: { terms, ...weights } } },
  };
  const found = await ask.aggregate(besides, aggs, [...eventsOf(query), NOT_BY_PEOPLE], 'the ranking');
  if (found === undefined) return new Map();
  const { items, others } = found;
  if (items.sum_other_doc_count + others.items.sum_other_doc_count > 0) return undefined;
  const otherViews = new Map(others.items.buckets.map((one) => [one.key, viewsIn(one)]));
  return new Map(
    items.buckets.map((one) => {
      const [all, bots] = [viewsIn(one), viewsIn(one.bots)];
      return [one.key, { all, bots, prefetches: all - bots - (otherViews.get(one.key) ?? 0) }];
    }),
  );
}

/** The sum of the weights, or else the number of documents, each of which has a weight of 1. */
function viewsIn({ views, doc_count }: z.output<typeof weighed>): number {
  return views?.value ?? doc_count;
}

/** By what visitors are counted, and whether an event has another weight than 1. Mostly one question, because there is no such event. */
async function particularsOf(ask: Ask, events: Query[]): Promise<[VisitorField, boolean]> {
  const either = { bool: { should: [UNNUMBERED, WEIGHTED], minimum_should_match: 1 } };
  if (!(await ask.any([...events, either]))) return [NUMBER, false];
  return Promise.all([visitorFieldOf(ask, events), ask.any([...events, WEIGHTED])]);
}
