import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../service/config.ts';
import type { DuckdbIndex } from '../store/duckdb.ts';
import type { ElasticsearchConnection } from '../store/elasticsearch.ts';
import type { EventIndex } from '../store/event-index.ts';
import type { Core } from './core.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const RETENTION_EVERY_MS = 3_600_000;

/** The configured index: Elasticsearch where it has an address, DuckDB otherwise. Closed with everything else. */
export async function openIndex(core: Core): Promise<EventIndex | DuckdbIndex> {
  const { config, shutdown } = core;
  const index = await (config.elasticsearch.node === undefined
    ? openEmbedded(core)
    : connectElasticsearch(config));
  shutdown.add('index', () => index.close());
  return index;
}

/** How to reach the configured Elasticsearch. */
export function elasticsearchConnection({ elasticsearch }: Config): ElasticsearchConnection {
  const { node = '', api_key, username, password, ca_file } = elasticsearch;
  return {
    node,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...(api_key !== undefined && { auth: { apiKey: api_key } }),
    ...(username !== undefined && password !== undefined && { auth: { username, password } }),
    ...(ca_file !== undefined && { ca: readFileSync(ca_file, 'utf8') }),
  };
}

async function connectElasticsearch(config: Config): Promise<EventIndex> {
  const { createElasticsearchIndex } = await import('../store/elasticsearch.ts');
  return createElasticsearchIndex({
    ...elasticsearchConnection(config),
    dataStream: config.elasticsearch.data_stream,
  });
}

async function openEmbedded({ config, log, now, shutdown }: Core): Promise<DuckdbIndex> {
  const { path, memory_mb, retention_days } = config.duckdb;
  // It holds addresses of visitors.
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const { openDuckdbIndex } = await import('../store/duckdb.ts');
  const index = await openDuckdbIndex({ path, memoryLimitMb: memory_mb, retentionDays: retention_days, now });
  const timer = setInterval(retain, RETENTION_EVERY_MS);
  shutdown.add('retention', async () => clearInterval(timer));
  return index;

  function retain(): void {
    index.retain().then(
      (rows) => rows > 0 && log.info({ rows }, 'removed events that are past duckdb.retention_days'),
      (error: unknown) => log.warn({ reason: String(error) }, 'could not remove old events'),
    );
  }
}
