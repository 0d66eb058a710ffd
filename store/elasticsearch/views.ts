import type { estypes } from '@elastic/elasticsearch';
import * as z from 'zod';
import type { ItemViews, Ranking } from '../event-questions.ts';
import { withOthers } from '../item-views.ts';

/*
 * What the questions have in common: fields, filters, and the aggregations that count views and visitors.
 */

export type Aggregations = Record<string, estypes.AggregationsAggregationContainer>;
export type Query = estypes.QueryDslQueryContainer;

export const ITEM = 'hot_item.id';
export const TIME = '@timestamp';
export const MS = 'epoch_millis';

export const sum = z.object({ value: z.number() });
/** Null where there is no document. */
export const latest = z.object({ value: z.number().nullable() });
export const counts = z.object({
  total: sum,
  last: latest,
  people: z.object({ views: sum, visitors: sum, last: latest }),
  bots: z.object({ views: sum }),
  prefetches: z.object({ views: sum }),
});
export const buckets = <T extends z.ZodType>(one: T) => z.object({ buckets: z.array(one) });
export const overTime = <Shape extends z.ZodRawShape>(shape: Shape) =>
  buckets(z.object({ key: z.number(), ...shape }));
export const ofItem = z.object({ key: z.string() });

const KIND = 'hot_item.kind';
const IS_BOT = 'hot_item.bot';
export const WEIGHT = { sum: { field: 'hot_item.weight' } } as const;
export const LAST = { max: { field: TIME } } as const;
/** Up to so many visitors, Elasticsearch counts them; beyond that it estimates them, off by 1 % on average. */
export const PRECISE = 3_000;
/** A sketch for so many takes 16 KB: of ten thousand items that would be more than Elasticsearch allows a search. These take 1 KB, and are off by 3 %. */
export const ROUGH = 100;
/** The same visitor as a text, which every event has, and as a number, which is counted several times faster. */
export const TEXT = 'hot_item.visitor';
export const NUMBER = 'hot_item.visitor_number';
export type VisitorField = typeof TEXT | typeof NUMBER;
export type Precision = typeof PRECISE | typeof ROUGH;
const BOT = { term: { [IS_BOT]: true } } as const;
const NO_VIEW = { exists: { field: KIND } } as const;
export const BY_PEOPLE: Query = { bool: { must_not: [NO_VIEW, BOT] } };
export const NOT_BY_PEOPLE: Query = { bool: { should: [NO_VIEW, BOT], minimum_should_match: 1 } };
export const PEOPLE_VIEWS = { filter: BY_PEOPLE, aggs: { views: WEIGHT } };
export const BOTS: Query = { bool: { must_not: [NO_VIEW], filter: [BOT] } };
const PREFETCHES: Query = { term: { [KIND]: 'prefetch' } };
/** Neither views nor prefetches: parts, looks at the headers, other methods. */
export const OTHERS: Query = { bool: { filter: [NO_VIEW], must_not: [PREFETCHES] } };
/** What events are counted by. Without the last three, all requests would be views by people, and none of them had a visitor. */
export const COUNTED_BY: string[] = [ITEM, WEIGHT.sum.field, KIND, IS_BOT, TEXT];

export function between(from: number, to: number): Query {
  return { range: { [TIME]: { gte: from, lt: to, format: MS } } };
}

export function ofTheItem(item: string): Query {
  return { term: { [ITEM]: item } };
}

/** Intervals that begin at `from`; those without documents are left out. */
export function intervals(from: number, ms: number): estypes.AggregationsDateHistogramAggregation {
  return { field: TIME, fixed_interval: `${ms}ms`, offset: `${from % ms}ms`, min_doc_count: 1 };
}

export function visitorsBy(
  precision: Precision,
  field: VisitorField = TEXT,
): estypes.AggregationsAggregationContainer {
  return { cardinality: { field, precision_threshold: precision } };
}

export function kindsOfViews(precision: Precision, field: VisitorField = TEXT): Aggregations {
  return {
    total: WEIGHT,
    last: LAST,
    people: {
      filter: BY_PEOPLE,
      aggs: { views: WEIGHT, visitors: visitorsBy(precision, field), last: LAST },
    },
    bots: { filter: BOTS, aggs: { views: WEIGHT } },
    prefetches: { filter: PREFETCHES, aggs: { views: WEIGHT } },
  };
}

export function toItemViews(
  item: string,
  counted: z.output<typeof counts>,
  rank: Ranking,
  precision: Precision = PRECISE,
): ItemViews {
  const { total, last, people, bots, prefetches } = counted;
  const visitors = people.visitors.value;
  const views: ItemViews = withOthers({
    item,
    views: people.views.value,
    bots: bots.views.value,
    prefetches: prefetches.views.value,
    all: total.value,
    visitors,
    last: (rank === 'people' ? people.last : last).value ?? 0,
  });
  if (visitors > precision) views.estimated = true;
  return views;
}
