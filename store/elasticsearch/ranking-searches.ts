import type { estypes } from '@elastic/elasticsearch';
import type { RankingQuery } from '../event-questions.ts';
import type { Ask } from './ask.ts';
import {
  between,
  ITEM,
  NUMBER,
  PRECISE,
  type Precision,
  type Query,
  ROUGH,
  TEXT,
  type VisitorField,
} from './views.ts';

/*
 * What rankings have in common: which events they count, in which order, and how exactly their visitors.
 */

export const CATEGORY = 'hot_item.category';
const NAME = 'hot_item.name';
/** Up to so many items or categories that are found, visitors are counted with the usual precision. */
export const MOST_PRECISE = 200;

/** It has a visitor, and no number for it. */
export const UNNUMBERED: Query = {
  bool: { filter: [{ exists: { field: TEXT } }], must_not: [{ exists: { field: NUMBER } }] },
};

/** `path`: of the number to order by. */
export function rankedBy(field: string, path: string, limit: number): estypes.AggregationsTermsAggregation {
  return {
    field,
    size: limit,
    // Each shard orders by its own sums: asked for more than wanted, their union holds the right ones.
    shard_size: limit + Math.min(limit * 3 + 300, 10_000),
    order: [{ [path]: 'desc' }, { _key: 'asc' }],
  };
}

/** What a ranking counts. */
export function eventsOf({ from, to, category, search }: RankingQuery): Query[] {
  const filters = [between(from, to)];
  if (category !== undefined) filters.push({ term: { [CATEGORY]: category } });
  if (search !== undefined) {
    const pattern = { value: `*${search.replaceAll(/[\\*?]/g, '\\$&')}*`, case_insensitive: true };
    const should = [{ wildcard: { [ITEM]: pattern } }, { wildcard: { [NAME]: pattern } }];
    filters.push({ bool: { should, minimum_should_match: 1 } });
  }
  return filters;
}

/**
 * The numbers of visitors, which are counted several times faster than their texts, if each of these events has one. Those from before documents had
 * numbers, or before `hotitem setup` mapped the field, have only a text.
 */
export async function visitorFieldOf(ask: Ask, events: Query[]): Promise<VisitorField> {
  return (await ask.any([...events, UNNUMBERED])) ? TEXT : NUMBER;
}

/** How many there are is only known afterwards. */
export async function preciselyIfFew<Found>(
  limit: number,
  find: (precision: Precision) => Promise<Found[]>,
): Promise<Found[]> {
  if (limit <= MOST_PRECISE) return find(PRECISE);
  const found = await find(ROUGH);
  return found.length === 0 || found.length > MOST_PRECISE ? found : find(PRECISE);
}
