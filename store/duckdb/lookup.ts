import type { EventLookup } from '../event-lookup.ts';
import type { DuckdbIndex } from './duckdb.ts';

/** The embedded index, opened by this process. */
export function createDuckdbLookup(index: DuckdbIndex, path: string): EventLookup {
  return {
    name: `DuckDB file ${path}`,
    most: 1000,
    count: index.count,
    create: index.create,
    refresh: async () => true,
    refreshMs: 0,
    close: index.close,
  };
}
