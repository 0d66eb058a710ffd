import type { Client, estypes } from '@elastic/elasticsearch';
import { z } from 'zod';
import type { EventIndex, ItemViews, RankingQuery } from '../event-index.ts';
import { complete, readAnswer, unexpected } from './answer.ts';
import { createBulk } from './bulk.ts';
import { closeSoon, connectElasticsearch, type ElasticsearchConnection, toUnavailable } from './client.ts';
import { toOperation } from './document.ts';
import { requireField } from './field.ts';

export type { ElasticsearchConnection } from './client.ts';

const ITEM = 'hot_item.id';
const CATEGORY = 'hot_item.category';
const NAME = 'hot_item.name';

export type ElasticsearchIndexOptions = ElasticsearchConnection & { dataStream: string };

/**
 * Events as documents of a data stream, `_id` = the event's id. Needs Elasticsearch 8.13 or newer, and what
 * `setupElasticsearch` makes. An `_id` is unique in one backing index: an event that is created again after a rollover
 * is there twice.
 */
export function createElasticsearchIndex(options: ElasticsearchIndexOptions): EventIndex {
  const { dataStream } = options;
  const client = connectElasticsearch(options);
  const bulk = createBulk(client, dataStream, toOperation);
  return {
    create: bulk,
    topItems: (query, signal) => topItems({ client, dataStream, signal }, query),
    close: () => closeSoon(client),
  };
}

const sum = z.object({ value: z.number() });
/** Null where there is no document. */
const latest = z.object({ value: z.number().nullable() });
const ofItem = z.object({
  key: z.string(),
  total: sum,
  last: latest,
  people: z.object({ views: sum, visitors: sum, last: latest }),
  bots: z.object({ views: sum }),
  prefetches: z.object({ views: sum }),
});
const ranking = complete.extend({
  aggregations: z.object({ items: z.object({ buckets: z.array(ofItem) }) }).optional(),
});

const WEIGHT = { sum: { field: 'hot_item.weight' } } as const;
const LAST = { max: { field: '@timestamp' } } as const;
const BOT = { term: { 'hot_item.bot': true } } as const;
/** A view by `hotitem doctor`. */
const TEST = { term: { 'hot_item.kind': 'test' } } as const;
const NO_VIEW = { exists: { field: 'hot_item.kind' } } as const;
const KINDS_OF_VIEWS = {
  total: WEIGHT,
  last: LAST,
  people: {
    filter: { bool: { must_not: [NO_VIEW, BOT] } },
    aggs: { views: WEIGHT, visitors: { cardinality: { field: 'hot_item.visitor' } }, last: LAST },
  },
  bots: { filter: { bool: { must_not: [NO_VIEW], filter: [BOT] } }, aggs: { views: WEIGHT } },
  prefetches: { filter: { term: { 'hot_item.kind': 'prefetch' } }, aggs: { views: WEIGHT } },
} as const satisfies Record<string, estypes.AggregationsAggregationContainer>;

type Asked = {
  client: Client;
  dataStream: string;
  /** Closes the connection of the request: then Elasticsearch cancels the search. */
  signal: AbortSignal | undefined;
};

async function topItems(
  { client, dataStream, signal }: Asked,
  { from, to, limit, rank = 'people', category, search }: RankingQuery,
): Promise<ItemViews[]> {
  try {
    const request = {
      index: dataStream,
      // Nothing was indexed yet: that is an empty list, not an error.
      ignore_unavailable: true,
      // A number without the documents of an unavailable shard would look like any other.
      allow_partial_search_results: false,
      size: 0,
      track_total_hits: false,
      query: {
        bool: {
          filter: [
            { range: { '@timestamp': { gte: from, lt: to, format: 'epoch_millis' } } },
            ...selected({ category, search }),
          ],
          must_not: [TEST],
        },
      },
      aggs: {
        items: {
          terms: {
            field: ITEM,
            size: limit,
            // Each shard orders by its own sums: asked for more than wanted, their union holds the right ones.
            shard_size: limit * 10 + 100,
            order: [{ [rank === 'people' ? 'people>views' : 'total']: 'desc' }, { _key: 'asc' }],
          },
          aggs: KINDS_OF_VIEWS,
        },
      },
    } satisfies estypes.SearchRequest;
    const answer = await client.search(request, signal === undefined ? {} : { signal });
    const { _shards, aggregations } = readAnswer(ranking, answer, 'the ranking');
    if (_shards.total === 0) return [];
    if (aggregations === undefined) throw unexpected('the ranking: aggregations');
    const { buckets } = aggregations.items;
    if (buckets.length === 0) {
      const needed = category === undefined ? ITEM : CATEGORY;
      await requireField(client, dataStream, needed);
    }
    return buckets
      .map((bucket) => toItemViews(bucket, rank))
      .filter(({ views }) => rank === 'all' || views > 0);
  } catch (error) {
    signal?.throwIfAborted();
    throw toUnavailable(error);
  }
}

function selected({ category, search }: Pick<RankingQuery, 'category' | 'search'>) {
  const filters: estypes.QueryDslQueryContainer[] = [];
  if (category !== undefined) filters.push({ term: { [CATEGORY]: category } });
  if (search !== undefined) {
    const pattern = { value: `*${search.replaceAll(/[\\*?]/g, '\\$&')}*`, case_insensitive: true };
    filters.push({
      bool: {
        should: [{ wildcard: { [ITEM]: pattern } }, { wildcard: { [NAME]: pattern } }],
        minimum_should_match: 1,
      },
    });
  }
  return filters;
}

function toItemViews(bucket: z.output<typeof ofItem>, rank: RankingQuery['rank']): ItemViews {
  const { key, total, last, people, bots, prefetches } = bucket;
  const counts = { views: people.views.value, bots: bots.views.value, prefetches: prefetches.views.value };
  return {
    item: key,
    ...counts,
    others: total.value - counts.views - counts.bots - counts.prefetches,
    all: total.value,
    visitors: people.visitors.value,
    last: (rank === 'people' ? people.last : last).value ?? 0,
  };
}
