import type { Client } from '@elastic/elasticsearch';
import * as z from 'zod';
import type { EventLookup } from '../event-lookup.ts';
import { complete, readAnswer, unexpected } from './answer.ts';
import { connectElasticsearch, statusOf, toUnavailable } from './client.ts';
import { createElasticsearchIndex, type ElasticsearchIndexOptions } from './elasticsearch.ts';
import { requireKeyword } from './field.ts';

export type ElasticsearchLookupOptions = ElasticsearchIndexOptions & { refreshMs: number };

const ID = 'event.id';
/** Part of a search that returns no documents. */
const COUNTING = {
  // Nothing was indexed yet: then nothing is there.
  ignore_unavailable: true,
  // Documents on an unavailable shard must not count as missing.
  allow_partial_search_results: false,
  size: 0,
};

const counted = z.number().int().nonnegative();
const counts = complete.extend({
  aggregations: z
    .object({
      ids: z.object({
        sum_other_doc_count: z.literal(0),
        buckets: z.array(z.object({ key: z.string(), doc_count: counted })),
      }),
    })
    .optional(),
});
const hits = complete.extend({ hits: z.object({ total: z.object({ value: counted }) }) });
const refreshed = z.object({ _shards: z.object({ total: counted, failed: counted }) });

/**
 * Searches the whole data stream, by the field `event.id`: `create` only sees `_id`s of the current backing index, and a copy may have
 * another one.
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
    isNow: (id, ms) => isNow(client, dataStream, { id, ms }),
    async close() {
      await Promise.all([client.close(), index.close()]);
    },
  };
}

async function count(client: Client, dataStream: string, ids: string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const wanted = [...new Set(ids)];
  try {
    const answer = await client.search({
      index: dataStream,
      ...COUNTING,
      track_total_hits: false,
      query: { constant_score: { filter: { terms: { [ID]: wanted } } } },
      // At most one bucket per term, so no count is an estimate.
      aggs: { ids: { terms: { field: ID, size: wanted.length, execution_hint: 'map' } } },
    });
    const { _shards, aggregations } = readAnswer(counts, answer, 'counting ids');
    if (_shards.total === 0) return ids.map(() => 0);
    if (aggregations === undefined) throw unexpected('counting ids: aggregations');
    const found = new Map(aggregations.ids.buckets.map(({ key, doc_count }) => [key, doc_count]));
    if (found.size < wanted.length) await requireKeyword(client, dataStream, ID);
    return ids.map((id) => found.get(id) ?? 0);
  } catch (error) {
    throw toUnavailable(error);
  }
}

/** Elasticsearch has no API for its time, but can compare. */
async function isNow(
  client: Client,
  dataStream: string,
  { id, ms }: { id: string; ms: number },
): Promise<boolean> {
  const seconds = Math.ceil(ms / 1000);
  try {
    const answer = await client.search({
      index: dataStream,
      ...COUNTING,
      track_total_hits: 1,
      query: {
        bool: {
          filter: [
            { term: { [ID]: id } },
            { range: { '@timestamp': { gte: `now-${seconds}s`, lte: `now+${seconds}s` } } },
          ],
        },
      },
    });
    return readAnswer(hits, answer, 'the time of an event').hits.total.value > 0;
  } catch (error) {
    throw toUnavailable(error);
  }
}

async function refresh(client: Client, dataStream: string): Promise<boolean> {
  try {
    const answer = await client.indices.refresh({ index: dataStream, ignore_unavailable: true });
    // If the refresh failed, the ids are looked up again later.
    return refreshed.safeParse(answer).data?._shards.failed === 0;
  } catch (error) {
    if (statusOf(error) === 403) return false;
    throw toUnavailable(error);
  }
}
