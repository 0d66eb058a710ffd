import type { estypes } from '@elastic/elasticsearch';
import * as z from 'zod';
import type { CategoriesQuery, CategoryViews, ItemViews, RankingQuery } from '../event-questions.ts';
import { withOthers } from '../item-views.ts';
import type { Ask } from './ask.ts';
import {
  BOTS_AND_PREFETCHES,
  BY_PEOPLE,
  between,
  buckets,
  counts,
  ITEM,
  kindsOfViews,
  LAST,
  latest,
  NOT_BY_PEOPLE,
  ofItem,
  PRECISE,
  type Precision,
  type Query,
  ROUGH,
  sum,
  toItemViews,
  visitorsBy,
  WEIGHT,
} from './views.ts';

/*
 * The most viewed items and categories. docs/decisions/0026-a-ranking-by-people-is-two-searches.md says why they are asked for like this.
 */

const CATEGORY = 'hot_item.category';
const NAME = 'hot_item.name';
/** Up to so many items or categories that are found, visitors are counted with the usual precision. */
const MOST_PRECISE = 200;

const ranking = z.object({ items: buckets(counts.extend(ofItem.shape)) });
const viewed = z.object({ items: buckets(ofItem.extend({ views: sum, visitors: sum, last: latest })) });
const requests = ofItem.extend({
  total: sum,
  bots: z.object({ views: sum }),
  prefetches: z.object({ views: sum }),
});
const besides = z.object({ items: buckets(requests).extend({ sum_other_doc_count: z.number() }) });
const categories = z.object({ categories: buckets(counts.extend(ofItem.shape)) });

export async function topItems(ask: Ask, query: RankingQuery): Promise<ItemViews[]> {
  if (query.rank !== 'all') return rankByPeople(ask, query);
  return preciselyIfFew(query.limit, (precision) => rankByAll(ask, query, precision));
}

export async function topCategories(ask: Ask, query: CategoriesQuery): Promise<CategoryViews[]> {
  return preciselyIfFew(query.limit, (precision) => rankCategories(ask, query, precision));
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
