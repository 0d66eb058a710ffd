import type { Part } from './part.ts';

export type ElasticsearchPart = Part & {
  /** Its address: `http://127.0.0.1:9200`. */
  node: string;
  /** Where its log is, of a process. */
  logFile?: string;
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
