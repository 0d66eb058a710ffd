import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, estypes } from '@elastic/elasticsearch';
import { createBulk } from './elasticsearch-bulk.ts';
import { connectElasticsearch, type ElasticsearchConnection, toUnavailable } from './elasticsearch-client.ts';
import type { EventIndex, ItemViews } from './event-index.ts';

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

type Query = { from: number; to: number; limit: number };

type Aggregations = {
  items: {
    buckets: {
      key: string;
      views: estypes.AggregationsSumAggregate;
      visitors: estypes.AggregationsCardinalityAggregate;
      last: estypes.AggregationsMaxAggregate;
    }[];
  };
};

async function topItems(
  client: Client,
  dataStream: string,
  { from, to, limit }: Query,
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
            order: [{ views: 'desc' }, { _key: 'asc' }],
          },
          aggs: {
            views: { sum: { field: 'hot_item.weight' } },
            visitors: { cardinality: { field: 'client.address' } },
            last: { max: { field: '@timestamp' } },
          },
        },
      },
    });
    return (aggregations?.items.buckets ?? []).map(({ key, views, visitors, last }) => ({
      item: key,
      views: views.value ?? 0,
      visitors: visitors.value,
      last: last.value ?? 0,
    }));
  } catch (error) {
    throw toUnavailable(error);
  }
}
