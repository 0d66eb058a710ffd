import { atAddress } from './address.ts';
import { engineAnswers } from './container.ts';
import { startElasticsearchContainer } from './elasticsearch-container.ts';
import { startElasticsearchProcess } from './elasticsearch-process.ts';
import type { Part } from './part.ts';
import { record } from './record.ts';

export type ElasticsearchPart = Part & {
  /** Its address: `http://127.0.0.1:9200`. */
  node: string;
};

/**
 * An Elasticsearch to test against: the one that `ELASTICSEARCH_NODE` names, else in a container, else as a local
 * process. Throws where none can be had.
 */
export async function startElasticsearch(): Promise<ElasticsearchPart> {
  const part = await provide();
  record(part.describe);
  return part;
}

async function provide(): Promise<ElasticsearchPart> {
  const named = process.env.ELASTICSEARCH_NODE;
  if (named) return { ...atAddress(`Elasticsearch at ${new URL(named).host}`), node: named };
  return (await engineAnswers()) ? startElasticsearchContainer() : startElasticsearchProcess();
}
