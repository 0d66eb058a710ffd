import * as z from 'zod';
import type { CategoriesQuery, CategoryViews, ItemViews, RankingQuery } from '../event-questions.ts';
import type { Ask } from './ask.ts';
import { type LastRanking, rankByPeople } from './people-ranking.ts';
import { CATEGORY, eventsOf, preciselyIfFew, rankedBy, visitorFieldOf } from './ranking-searches.ts';
import {
  between,
  buckets,
  counts,
  ITEM,
  kindsOfViews,
  ofItem,
  type Precision,
  toItemViews,
  type VisitorField,
} from './views.ts';

/*
 * The most viewed items and categories.
 */

const ranking = z.object({ items: buckets(counts.extend(ofItem.shape)) });
const categories = z.object({ categories: buckets(counts.extend(ofItem.shape)) });

/** Changes `before`. */
export async function topItems(ask: Ask, query: RankingQuery, before: LastRanking): Promise<ItemViews[]> {
  if (query.rank !== 'all') return rankByPeople(ask, query, before);
  const field = await visitorFieldOf(ask, eventsOf(query));
  return preciselyIfFew(query.limit, (precision) => rankByAll(ask, query, field, precision));
}

export async function topCategories(ask: Ask, query: CategoriesQuery): Promise<CategoryViews[]> {
  const field = await visitorFieldOf(ask, [between(query.from, query.to)]);
  return preciselyIfFew(query.limit, (precision) => rankCategories(ask, query, field, precision));
}

async function rankByAll(
  ask: Ask,
  query: RankingQuery,
  field: VisitorField,
  precision: Precision,
): Promise<ItemViews[]> {
  const items = { terms: rankedBy(ITEM, 'total', query.limit), aggs: kindsOfViews(precision, field) };
  const found = await ask.aggregate(ranking, { items }, eventsOf(query), 'the ranking');
  if (found === undefined) return [];
  return found.items.buckets.map(({ key, ...counted }) => toItemViews(key, counted, 'all', precision));
}

async function rankCategories(
  ask: Ask,
  { from, to, limit, rank = 'people' }: CategoriesQuery,
  field: VisitorField,
  precision: Precision,
): Promise<CategoryViews[]> {
  const path = rank === 'people' ? 'people>views' : 'total';
  const terms = { ...rankedBy(CATEGORY, path, limit), missing: '' };
  const aggs = { categories: { terms, aggs: kindsOfViews(precision, field) } };
  const found = await ask.aggregate(categories, aggs, [between(from, to)], 'the categories');
  return (found?.categories.buckets ?? [])
    .map(({ key, ...counted }) => {
      const { item: category, ...views } = toItemViews(key, counted, rank, precision);
      return { category, ...views };
    })
    .filter(({ views }) => rank === 'all' || views > 0);
}
