import * as z from 'zod';
import type { Rise, RisingQuery } from '../event-questions.ts';
import { CANDIDATES_EACH, firstOf, intervalsOf, risesOf, type WindowCounts, zeros } from '../rises.ts';
import type { Ask } from './ask.ts';
import {
  type Aggregations,
  BY_PEOPLE,
  between,
  buckets,
  ITEM,
  intervals,
  ofItem,
  overTime,
  PRECISE,
  type Query,
  sum,
  visitorsBy,
  WEIGHT,
} from './views.ts';

/** Of a rising item. The number of buckets of one search has a limit (`search.max_buckets`). */
const MOST_COMPARED = 10_000;

const compared = z.object({ items: buckets(ofItem.extend({ now: z.object({ views: sum }), views: sum })) });
const visited = z.object({ items: buckets(ofItem.extend({ windows: overTime({ visitors: sum }) })) });
const plotted = z.object({ items: buckets(ofItem.extend({ steps: overTime({ views: sum }) })) });

export async function rising(ask: Ask, query: RisingQuery): Promise<Rise[]> {
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
  const steepest = (found?.items.buckets ?? [])
    .filter((one) => one.now.views.value >= leastVisitors)
    .map(({ key, now, views }) => {
      const before = Math.max(1, views.value - now.views.value);
      return { item: key, views: now.views.value, ratio: now.views.value / before };
    })
    .sort((a, b) => b.ratio - a.ratio || (a.item < b.item ? -1 : 1));
  return new Map(steepest.slice(0, limit * CANDIDATES_EACH).map(({ item, views }) => [item, views]));
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

function visitors(windows: { visitors: { value: number } }[]): number {
  return windows.reduce((total, { visitors }) => total + visitors.value, 0);
}
