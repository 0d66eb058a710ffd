import { lstatSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../service/config/config.ts';

export type StatePlace = {
  path: string;
  /** Owner and mode of the entry, and of its target if it is a link. */
  stats: Stats[];
};

/** Where the state of a service is. */
export type StateFolders = Pick<Config, 'home'> & {
  spool: Pick<Config['spool'], 'dir'>;
  duckdb: Pick<Config['duckdb'], 'path'>;
};

/** Below `home`: entries that a sidecar or a sink writes by name. */
const FILES = [
  'capture.json',
  'dead-letters.ndjson',
  'decisions',
  'heat-audit.ndjson',
  'heat-baselines.json',
  'heat-frozen.json',
  'heat-rules.kept.yml',
  'heat.json',
  'hotitem.log',
  'losses.json',
  'nginx-accounting.json',
  // Its former name: it is renamed.
  'nginx-books.json',
  'quarantine',
  'rejected.log',
  'sink-losses.json',
  'spill-offsets.json',
];

/** The existing state that only the service uses: not the spill folder, which workers write to. */
export function statePlaces({ home, spool, duckdb }: StateFolders): StatePlace[] {
  const paths = [home, spool.dir, duckdb.path, ...FILES.map((name) => join(home, name))];
  return paths.flatMap((path) => {
    try {
      const found = lstatSync(path);
      return [{ path, stats: found.isSymbolicLink() ? [found, statSync(path)] : [found] }];
    } catch {
      // Missing, or not visible to this user; a write then reports the error.
      return [];
    }
  });
}
