import { atAddress } from './address.ts';
import { engineAnswers } from './container.ts';
import { startElasticsearchContainer } from './elasticsearch-container.ts';
import type { ElasticsearchOptions, ElasticsearchPart } from './elasticsearch-part.ts';
import { startElasticsearchProcess } from './elasticsearch-process.ts';
import { record } from './record.ts';

export type { ElasticsearchOptions, ElasticsearchPart } from './elasticsearch-part.ts';

/**
 * An Elasticsearch to test against: the one that `ELASTICSEARCH_NODE` names, else in a container, else a local process.
 * Throws if there is none. With options it is always a local process.
 */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchPart> {
  const part = await provide(options);
  record(part.describe);
  return part;
}

async function provide(options: ElasticsearchOptions): Promise<ElasticsearchPart> {
  if (Object.keys(options).length > 0) return startElasticsearchProcess(options);
  const named = process.env.ELASTICSEARCH_NODE;
  if (named) return { ...atAddress(`Elasticsearch at ${new URL(named).host}`), node: named };
  return (await engineAnswers()) ? startElasticsearchContainer() : startElasticsearchProcess(options);
}
