import type { EventIndex } from '../event-index.ts';
import { createBulk } from './bulk.ts';
import { closeSoon, connectElasticsearch, type ElasticsearchConnection } from './client.ts';
import { toOperation } from './document.ts';
import { createQuestions } from './questions.ts';

export type { ElasticsearchConnection } from './client.ts';

export type ElasticsearchIndexOptions = ElasticsearchConnection & {
  dataStream: string;
  /** The data stream of decisions; without it no item was ever hot. */
  decisionDataStream?: string | undefined;
};

/**
 * Events as documents of a data stream, `_id` = the event's id. Needs Elasticsearch 8.13 or newer, and what
 * `setupElasticsearch` makes. An `_id` is unique in one backing index: an event that is created again after a rollover
 * is there twice.
 */
export function createElasticsearchIndex(options: ElasticsearchIndexOptions): EventIndex {
  const { dataStream, decisionDataStream } = options;
  const client = connectElasticsearch(options);
  const bulk = createBulk(client, dataStream, toOperation);
  return {
    create: bulk,
    ...createQuestions({ client, dataStream, decisionDataStream }),
    close: () => closeSoon(client),
  };
}
