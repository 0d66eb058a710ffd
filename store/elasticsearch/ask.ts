import type { Client, estypes } from '@elastic/elasticsearch';
import * as z from 'zod';
import type { PastDecisions, Range } from '../event-questions.ts';
import { complete, readAnswer, unexpected } from './answer.ts';
import { toUnavailable } from './client.ts';
import { toUnmapped } from './field.ts';
import { PERIOD_FIELDS, toPeriodDecision } from './period-decision.ts';
import { type Aggregations, between, COUNTED_BY, MS, type Query, TIME } from './views.ts';

/** `sort`: the time. */
const hit = z.object({ _source: z.unknown(), sort: z.tuple([z.coerce.number()]) });
const counted = complete.extend({ hits: z.object({ total: z.object({ value: z.number() }) }) });
const hits = complete.extend({ hits: z.object({ hits: z.array(hit) }) });

/** A view by `hotitem doctor`. */
const TEST = { term: { 'hot_item.kind': 'test' } } as const;

export type QuestionsOptions = {
  client: Client;
  dataStream: string;
  decisionDataStream: string | undefined;
};

/** One question. `signal` closes the connection of its request: then Elasticsearch cancels the search. */
export type Ask = {
  /** Undefined where nothing was indexed yet. */
  aggregate<T>(
    schema: z.ZodType<T>,
    aggs: Aggregations,
    filter?: Query[],
    about?: string,
  ): Promise<T | undefined>;
  /** Whether there is such an event. Stops at the first. */
  any(filter: Query[]): Promise<boolean>;
  /** The latest decisions that match, except those that somebody else wrote into the data stream. */
  decisions(query: estypes.QueryDslBoolQuery, size: number): Promise<PastDecisions>;
  /** Throws where an index that may have events of this time does not have each field that these are counted by. */
  requireMapped(range: Range): Promise<void>;
};

export async function asked<Answer>(
  { client, dataStream, decisionDataStream }: QuestionsOptions,
  signal: AbortSignal | undefined,
  question: (ask: Ask) => Promise<Answer>,
): Promise<Answer> {
  const options = signal === undefined ? {} : { signal };
  const whole = {
    // Nothing was indexed yet: that is an empty answer, not an error.
    ignore_unavailable: true,
    // A number without the documents of an unavailable shard would look like any other.
    allow_partial_search_results: false,
    track_total_hits: false,
  } as const;
  try {
    return await question({
      aggregate,
      any,
      decisions,
      requireMapped,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw toUnavailable(error);
  }

  async function aggregate<T>(
    schema: z.ZodType<T>,
    aggs: Aggregations,
    filter: Query[] = [],
    about = 'a question',
  ) {
    const query = { bool: { filter, must_not: [TEST] } };
    const answer = await client.search({ index: dataStream, ...whole, size: 0, query, aggs }, options);
    const { _shards, aggregations } = readAnswer(
      complete.extend({ aggregations: z.unknown().optional() }),
      answer,
      about,
    );
    if (_shards.total === 0) return undefined;
    if (aggregations === undefined) throw unexpected(`${about}: aggregations`);
    return readAnswer(schema, aggregations, `${about}: aggregations`);
  }

  /**
   * A filter by an unmapped field finds nothing, and its sum is 0, without an error; but Elasticsearch refuses to sort by it, even if no hits
   * are wanted. Not in the search that counts, which only one thread would do if it were sorted.
   */
  async function requireMapped({ from, to }: Range) {
    const search = { index: dataStream, ...whole, size: 0, query: between(from, to), sort: COUNTED_BY };
    try {
      readAnswer(complete, await client.search(search, options), 'the mapping');
    } catch (error) {
      throw toUnmapped(error, dataStream);
    }
  }

  async function any(filter: Query[]) {
    const query = { bool: { filter, must_not: [TEST] } };
    const search = { index: dataStream, ...whole, size: 0, track_total_hits: 1, query };
    return readAnswer(counted, await client.search(search, options), 'an event').hits.total.value > 0;
  }

  async function decisions(bool: estypes.QueryDslBoolQuery, size: number) {
    if (decisionDataStream === undefined) return { decisions: [] };
    const search = {
      index: decisionDataStream,
      ...whole,
      size,
      _source: PERIOD_FIELDS,
      query: { bool },
      sort: [{ [TIME]: { order: 'desc' as const, format: MS } }],
    };
    const answer = readAnswer(hits, await client.search(search, options), 'decisions');
    const found = answer.hits.hits;
    // Before those of somebody else are left out: what is left may be fewer than there are.
    const oldest = found.length === size ? found.at(-1)?.sort[0] : undefined;
    return {
      decisions: found.flatMap(({ _source }) => toPeriodDecision(_source) ?? []),
      ...(oldest !== undefined && { oldest }),
    };
  }
}
