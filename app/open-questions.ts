import type { Config } from '../service/config/config.ts';
import { createSocketQuestions } from '../store/duckdb/socket-questions.ts';
import type { AskableQuestions } from '../store/question-shapes.ts';
import { connectElasticsearch } from './open-index.ts';
import { isIndexAt, openDuckdb } from './open-lookup.ts';
import { partsOf } from './parts.ts';

/** The configured index, for a command that only asks. */
export type AskedIndex = {
  /** For people who do not know this host. */
  name: string;
  questions: AskableQuestions;
  /** How long it keeps events, in days. */
  retentionDays: number;
  close(): Promise<void>;
};

/** An embedded index is asked through the process that has it open, or opened if there is none. Rejects with a `Trouble`. */
export async function openQuestions(config: Config): Promise<AskedIndex> {
  const { elasticsearch, duckdb, control } = config;
  if (partsOf(config).index === 'elasticsearch') {
    const index = await connectElasticsearch(config);
    return {
      name: 'Elasticsearch',
      questions: index,
      retentionDays: elasticsearch.retention_days,
      close: index.close,
    };
  }
  const of = { name: 'DuckDB', retentionDays: duckdb.retention_days };
  if (await isIndexAt(control.socket))
    return { ...of, questions: createSocketQuestions(control.socket), close: async () => {} };
  const index = await openDuckdb(duckdb);
  return { ...of, questions: index, close: index.close };
}
