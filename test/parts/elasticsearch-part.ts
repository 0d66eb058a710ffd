import type { Part } from './part.ts';

export type ElasticsearchPart = Part & {
  /** Its address: `http://127.0.0.1:9200`. */
  node: string;
  /** The path of its log, if it is a process. */
  logFile?: string;
  /** Writes a file into its configuration folder; changes of users and roles apply within 5 s. */
  configure?: (file: string, text: string) => void;
};

export type ElasticsearchOptions = {
  /** An older one, with security, that can keep API keys. */
  apiKeys?: boolean;
  /** Added to elasticsearch.yml. */
  settings?: Record<string, string>;
  /** Files for its configuration folder, which replace existing ones. */
  files?: Record<string, string>;
  /** Options of Java. Default: a small heap and the first compiler only. */
  javaOptions?: string;
  /** Runs in a Java like that of Elasticsearch's full distribution, if one is installed, in place of that on the path. */
  likeDistributed?: boolean;
};
