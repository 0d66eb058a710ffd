import type { Client, estypes } from '@elastic/elasticsearch';
import { z } from 'zod';
import { createElasticsearchIndex, type ElasticsearchIndexOptions } from './elasticsearch.ts';
import { connectElasticsearch, statusOf, toUnavailable } from './elasticsearch-client.ts';
import { IndexUnavailable } from './event-index.ts';
import type { EventLookup } from './event-lookup.ts';

export type ElasticsearchLookupOptions = ElasticsearchIndexOptions & { refreshMs: number };

const counted = z.number().int().nonnegative();
/** Anything else is no answer: a page of a proxy, a redirect, a part of the shards. */
const answer = z.object({
  timed_out: z.literal(false),
  _shards: z.object({ total: counted, failed: z.literal(0) }),
  hits: z.object({}),
  aggregations: z
    .object({
      ids: z.object({
        sum_other_doc_count: z.literal(0),
        buckets: z.array(z.object({ key: z.string(), doc_count: counted })),
      }),
    })
    .optional(),
});
const refreshed = z.object({ _shards: z.object({ total: counted, failed: counted }) });

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
    const found = await client.search({
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
    const counts = countsIn(found);
    return ids.map((id) => counts.get(id) ?? 0);
  } catch (error) {
    throw toUnavailable(error);
  }
}

/** Throws an `IndexUnavailable` where this is no answer to the question. */
function countsIn(found: unknown): Map<string, number> {
  const { data } = answer.safeParse(found);
  if (data === undefined || (data.aggregations === undefined && data._shards.total > 0)) {
    throw new IndexUnavailable('what answers there does not answer as Elasticsearch does', {
      why: 'refused',
    });
  }
  // No shard: nothing was indexed yet.
  return new Map(data.aggregations?.ids.buckets.map(({ key, doc_count }) => [key, doc_count]));
}

async function refresh(client: Client, dataStream: string): Promise<boolean> {
  try {
    const asked: estypes.IndicesRefreshRequest = { index: dataStream, ignore_unavailable: true };
    const { data } = refreshed.safeParse(await client.indices.refresh(asked));
    // What could not be refreshed, or did not say so, is looked at again later.
    return data?._shards.failed === 0;
  } catch (error) {
    if (statusOf(error) === 403) return false;
    throw toUnavailable(error);
  }
}
