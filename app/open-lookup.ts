import { existsSync } from 'node:fs';
import type { Config } from '../service/config/config.ts';
import { Trouble } from '../service/trouble.ts';
import { createDuckdbLookup } from '../store/duckdb/lookup.ts';
import { createSocketLookup, hasSocketLookup, SocketForbidden } from '../store/duckdb/socket-lookup.ts';
import type { EventLookup } from '../store/event-lookup.ts';
import { elasticsearchConnection } from './open-index.ts';
import { OWNER_ONLY } from './owner-only.ts';
import { partsOf } from './parts.ts';

/** The configured index for lookups. An embedded one is asked through the process that has it open, or opened if there is none. */
export async function openLookup(config: Config): Promise<EventLookup> {
  const { elasticsearch, duckdb, control } = config;
  if (partsOf(config).index === 'elasticsearch') {
    const { createElasticsearchLookup } = await import('../store/elasticsearch/lookup.ts');
    return createElasticsearchLookup({
      ...elasticsearchConnection(config),
      dataStream: elasticsearch.data_stream,
      refreshMs: elasticsearch.refresh_seconds * 1000 + 500,
    });
  }
  if (await isIndexAt(control.socket)) return createSocketLookup(control.socket);
  const { path, memory_mb: memoryLimitMb, retention_days: retentionDays } = duckdb;
  if (!existsSync(path)) {
    throw new Trouble(
      `there is no index at ${path}`,
      'Its path follows from home; ELASTICSEARCH_NODE sets another index.',
    );
  }
  const { openDuckdbIndex } = await import('../store/duckdb/duckdb.ts');
  return createDuckdbLookup(await openDuckdbIndex({ path, memoryLimitMb, retentionDays }), path);
}

async function isIndexAt(socket: string): Promise<boolean> {
  try {
    return await hasSocketLookup(socket);
  } catch (error) {
    if (!(error instanceof SocketForbidden)) throw error;
    throw new Trouble(error.message, OWNER_ONLY);
  }
}
