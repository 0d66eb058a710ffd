import { atAddress } from './address.ts';
import { engineAnswers } from './container.ts';
import { startElasticsearchContainer } from './elasticsearch-container.ts';
import { startElasticsearchProcess } from './elasticsearch-process.ts';
import type { Part } from './part.ts';
import { record } from './record.ts';

export type ElasticsearchPart = Part & {
  /** Its address: `http://127.0.0.1:9200`. */
  node: string;
  /** Writes a file of its configuration folder; it sees that of users and roles within 5 s. */
  configure?: (file: string, text: string) => void;
};

export type ElasticsearchOptions = {
  /** An older one, with security, that can keep API keys. */
  apiKeys?: boolean;
  /** Added to elasticsearch.yml. */
  settings?: Record<string, string>;
  /** Written into its configuration folder, over what is there. */
  files?: Record<string, string>;
  /** In place of a small heap and the first compiler only. */
  javaOptions?: string;
};

/**
 * An Elasticsearch to test against: the one that `ELASTICSEARCH_NODE` names, else in a container, else as a local
 * process. Throws where none can be had. Options make it a private one: they leave out the first two.
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
