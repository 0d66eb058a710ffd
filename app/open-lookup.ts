import { existsSync } from 'node:fs';
import { type CatalogueOptions, loadCatalogue } from '../catalogue/load.ts';
import type { HotItemEvent } from '../event/event.ts';
import type { Config } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import { Trouble } from '../service/trouble.ts';
import type { DuckdbIndex } from '../store/duckdb/duckdb.ts';
import { createDuckdbLookup } from '../store/duckdb/lookup.ts';
import { createSocketLookup, hasSocketLookup, SocketForbidden } from '../store/duckdb/socket-lookup.ts';
import type { EventLookup, PlainLookup } from '../store/event-lookup.ts';
import type { Core } from './core.ts';
import { createJoin } from './join-catalogue.ts';
import { elasticsearchConnection } from './open-index.ts';
import { OWNER_ONLY } from './owner-only.ts';
import { partsOf } from './parts.ts';
import { catalogueOptions } from './wire-catalogue.ts';

/**
 * The configured index, for callers that create no documents. An embedded index is asked through the process that has it open; without one,
 * its file is opened here.
 */
export async function openPlainLookup(config: Config): Promise<PlainLookup> {
  return (await openConfigured(config)).lookup;
}

/** The same, and what it creates has name and category of its item, as a service would create it. */
export async function openLookup({ config, warn }: Pick<Core, 'config' | 'warn'>): Promise<EventLookup> {
  const { lookup, hasCatalogue } = await openConfigured(config);
  return hasCatalogue ? lookup : joinLookup(lookup, { config, warn });
}

/**
 * Loads the catalogue once, before the first events are created. If it cannot be used, the operator is told, and events have no names: they
 * are more important.
 */
export function joinLookup(
  lookup: EventLookup,
  { config, warn }: Pick<Core, 'config' | 'warn'>,
): EventLookup {
  const options = catalogueOptions(config);
  if (options === undefined) return lookup;
  let joining: Promise<(event: HotItemEvent) => HotItemEvent> | undefined;
  return {
    ...lookup,
    async create(events) {
      joining ??= load(options);
      return lookup.create(events.map(await joining));
    },
  };

  async function load(from: CatalogueOptions): Promise<(event: HotItemEvent) => HotItemEvent> {
    try {
      const { items } = await loadCatalogue(from);
      return createJoin(() => items);
    } catch (error) {
      warn('catalogue', 'the catalogue cannot be used; events are indexed without names and categories', {
        file: from.path,
        reason: reasonOf(error),
      });
      return (event) => event;
    }
  }
}

type Opened = {
  lookup: EventLookup;
  /** The process that has the index open gives events their names. */
  hasCatalogue: boolean;
};

async function openConfigured(config: Config): Promise<Opened> {
  const { elasticsearch, duckdb, control } = config;
  if (partsOf(config).index === 'elasticsearch') {
    const { createElasticsearchLookup } = await import('../store/elasticsearch/lookup.ts');
    const lookup = createElasticsearchLookup({
      ...elasticsearchConnection(config),
      dataStream: elasticsearch.data_stream,
      refreshMs: elasticsearch.refresh_seconds * 1000 + 500,
    });
    return { lookup, hasCatalogue: false };
  }
  if (await isIndexAt(control.socket))
    return { lookup: createSocketLookup(control.socket), hasCatalogue: true };
  const index = await openDuckdb(duckdb);
  return { lookup: createDuckdbLookup(index, duckdb.path), hasCatalogue: false };
}

/** The embedded index, opened by this process. Rejects with a `Trouble` if there is none. */
export async function openDuckdb({
  path,
  memory_mb: memoryLimitMb,
  retention_days: retentionDays,
}: Config['duckdb']): Promise<DuckdbIndex> {
  if (!existsSync(path)) {
    throw new Trouble(
      `there is no index at ${path}`,
      'Its path follows from home; ELASTICSEARCH_NODE sets another index.',
    );
  }
  const { openDuckdbIndex } = await import('../store/duckdb/duckdb.ts');
  return openDuckdbIndex({ path, memoryLimitMb, retentionDays });
}

/** Whether the process at this socket has the embedded index open. Rejects with a `Trouble` if this user may not ask. */
export async function isIndexAt(socket: string): Promise<boolean> {
  try {
    return await hasSocketLookup(socket);
  } catch (error) {
    if (!(error instanceof SocketForbidden)) throw error;
    throw new Trouble(error.message, OWNER_ONLY);
  }
}
