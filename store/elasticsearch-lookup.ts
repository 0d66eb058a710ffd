import type { Client, estypes } from '@elastic/elasticsearch';
import { createElasticsearchIndex, type ElasticsearchIndexOptions } from './elasticsearch.ts';
import { connectElasticsearch, statusOf, toUnavailable } from './elasticsearch-client.ts';
import type { EventLookup } from './event-lookup.ts';

export type ElasticsearchLookupOptions = ElasticsearchIndexOptions & { refreshMs: number };

type Counts = { ids: { buckets: { key: string; doc_count: number }[] } };

/**
 * Asks the whole data stream, by the field `event.id`: `create` sees an `_id` only in the backing index that is written to,
 * and a copy may have another one.
 */
export function createElasticsearchLookup(options: ElasticsearchLookupOptions): EventLookup {
  const { dataStream, refreshMs } = options;
  const client = connectElasticsearch(options);
  const index = createElasticsearchIndex(options);
  return {
    name: `data stream ${dataStream}`,
    most: 1000,
    count: (ids) => count(client, dataStream, ids),
    create: index.create,
    refresh: () => refresh(client, dataStream),
    refreshMs,
    async close() {
      await Promise.all([client.close(), index.close()]);
    },
  };
}

async function count(client: Client, dataStream: string, ids: string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const wanted = [...new Set(ids)];
  try {
    const { aggregations } = await client.search<unknown, Counts>({
      index: dataStream,
      // Nothing was indexed yet: then nothing is there.
      ignore_unavailable: true,
      // What lies on a shard that is away must not pass for missing.
      allow_partial_search_results: false,
      size: 0,
      track_total_hits: false,
      query: { constant_score: { filter: { terms: { 'event.id': wanted } } } },
      // As many buckets as there can be terms: no count is an estimate.
      aggs: { ids: { terms: { field: 'event.id', size: wanted.length, execution_hint: 'map' } } },
    });
    const found = new Map(aggregations?.ids.buckets.map(({ key, doc_count }) => [key, doc_count]));
    return ids.map((id) => found.get(id) ?? 0);
  } catch (error) {
    throw toUnavailable(error);
  }
}

async function refresh(client: Client, dataStream: string): Promise<boolean> {
  try {
    const asked: estypes.IndicesRefreshRequest = { index: dataStream, ignore_unavailable: true };
    await client.indices.refresh(asked);
    return true;
  } catch (error) {
    if (statusOf(error) === 403) return false;
    throw toUnavailable(error);
  }
}
