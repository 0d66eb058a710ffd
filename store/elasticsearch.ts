import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, estypes } from '@elastic/elasticsearch';
import { createBulk } from './elasticsearch-bulk.ts';
import { connectElasticsearch, type ElasticsearchConnection, toUnavailable } from './elasticsearch-client.ts';
import type { EventIndex, ItemViews, RankingQuery } from './event-index.ts';

export type { ElasticsearchConnection } from './elasticsearch-client.ts';

const CLOSE_MS = 500;

export type ElasticsearchIndexOptions = ElasticsearchConnection & { dataStream: string };

/**
 * Events as documents of a data stream, `_id` = the event's id. Needs Elasticsearch 8.13 or newer, and what
 * `setupElasticsearch` makes. An `_id` is unique in one backing index: an event that is created again after a rollover
 * is there twice.
 */
export function createElasticsearchIndex(options: ElasticsearchIndexOptions): EventIndex {
  const { dataStream } = options;
  const client = connectElasticsearch(options);
  const bulk = createBulk(client, dataStream);
  return {
    create: bulk,
    topItems: (query) => topItems(client, dataStream, query),
    // A request that hangs is not waited for: what it asked for comes again.
    close: () => Promise.race([client.close(), sleep(CLOSE_MS)]),
  };
}

type Sum = estypes.AggregationsSumAggregate;

type Aggregations = {
  items: {
    buckets: {
      key: string;
      total: Sum;
      last: estypes.AggregationsMaxAggregate;
      people: {
        views: Sum;
        visitors: estypes.AggregationsCardinalityAggregate;
        last: estypes.AggregationsMaxAggregate;
      };
      bots: { views: Sum };
      prefetches: { views: Sum };
    }[];
  };
};

const WEIGHT = { sum: { field: 'hot_item.weight' } } as const;
const LAST = { max: { field: '@timestamp' } } as const;
const BOT = { term: { 'hot_item.bot': true } } as const;
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

async function topItems(
  client: Client,
  dataStream: string,
  { from, to, limit, rank = 'people' }: RankingQuery,
): Promise<ItemViews[]> {
  try {
    const { aggregations } = await client.search<unknown, Aggregations>({
      index: dataStream,
      // Nothing was indexed yet: that is an empty list, not an error.
      ignore_unavailable: true,
      // A number that leaves out what lies on a shard that is away would look like any other.
      allow_partial_search_results: false,
      size: 0,
      track_total_hits: false,
      query: { range: { '@timestamp': { gte: from, lt: to, format: 'epoch_millis' } } },
      aggs: {
        items: {
          terms: {
            field: 'hot_item.id',
            size: limit,
            // Each shard orders by its own sums: asked for more than wanted, their union holds the right ones.
            shard_size: limit * 10 + 100,
            order: [{ [rank === 'people' ? 'people>views' : 'total']: 'desc' }, { _key: 'asc' }],
          },
          aggs: KINDS_OF_VIEWS,
        },
      },
    });
    return (aggregations?.items.buckets ?? [])
      .map(({ key, total, last, people, bots, prefetches }) => {
        const counts = {
          views: numberIn(people.views),
          bots: numberIn(bots.views),
          prefetches: numberIn(prefetches.views),
        };
        const all = numberIn(total);
        const others = all - counts.views - counts.bots - counts.prefetches;
        const latest = numberIn(rank === 'people' ? people.last : last);
        return { item: key, ...counts, others, all, visitors: people.visitors.value, last: latest };
      })
      .filter(({ views }) => rank === 'all' || views > 0);
  } catch (error) {
    throw toUnavailable(error);
  }
}

function numberIn({ value }: { value: number | null }): number {
  return value ?? 0;
}
