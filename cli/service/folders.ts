import { dirname, relative, sep } from 'node:path';
import type { Config } from '../../service/config.ts';
import type { Role } from './unit.ts';

export type ServiceFolders = {
  /** Below /var/lib: systemd makes it for the user at each start. */
  state: string | undefined;
  /** Below /run: the same, and removed at each stop. */
  run: string | undefined;
  /** Elsewhere: the service may write there, and they must be there. */
  others: string[];
};

const STATE = '/var/lib';
const RUN = '/run';

/** The folders that a service writes to. */
export function serviceFolders(
  role: Role,
  { home, intake, spool, spill, duckdb }: Pick<Config, 'home' | 'intake' | 'spool' | 'spill' | 'duckdb'>,
): ServiceFolders {
  const socket = dirname(intake.socket);
  const state = isWithin(home, STATE) && home !== STATE ? home : undefined;
  // The sink's unit must not have it: it would remove it when the sink stops.
  const run = role === 'sidecar' && isWithin(socket, RUN) && socket !== RUN ? socket : undefined;
  const written = [home, spool.dir, dirname(duckdb.path), ...(role === 'sidecar' ? [spill.dir, socket] : [])];
  const made = [state, run].filter((path) => path !== undefined);
  const others = written.filter((path) => !made.some((parent) => isWithin(path, parent)));
  return { state, run, others: outermost(others) };
}

/** `hotitem` of /var/lib/hotitem, as StateDirectory= and RuntimeDirectory= have it. */
export function stateName(path: string): string {
  return relative(STATE, path);
}
export function runName(path: string): string {
  return relative(RUN, path);
}

function outermost(paths: string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}

function isWithin(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}${sep}`);
}
