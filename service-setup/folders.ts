import { dirname, relative, sep } from 'node:path';
import type { Config } from '../service/config/config.ts';

export type Role = 'sidecar' | 'sink';
export const ROLES: readonly Role[] = ['sidecar', 'sink'];

export type ServiceFolders = {
  /** Below /var/lib: systemd makes it for the user at each start. */
  state: string | undefined;
  /** Below /run: the same, and removed at each stop. */
  runs: string[];
  /** Elsewhere: the service may write there, and they must be there. */
  others: string[];
};

/** The settings that say where a service writes. */
export type FolderSettings = Pick<
  Config,
  'home' | 'intake' | 'control' | 'spool' | 'spill' | 'heat' | 'duckdb'
>;

const STATE = '/var/lib';
const RUN = '/run';

/** The folders that a service writes to. */
export function serviceFolders(
  role: Role,
  { home, intake, control, spool, spill, heat, duckdb }: FolderSettings,
): ServiceFolders {
  const state = isWithin(home, STATE) && home !== STATE ? home : undefined;
  const sockets = [dirname(intake.socket), dirname(control.socket)];
  const ofSidecar = role === 'sidecar' ? [spill.dir, heat.dir, ...sockets] : [];
  // The sink's unit must not have them: it would remove them when the sink stops.
  const runs = outermost(ofSidecar.filter((path) => isWithin(path, RUN) && path !== RUN));
  const made = [...runs, ...(state === undefined ? [] : [state])];
  const written = [home, spool.dir, dirname(duckdb.path), ...ofSidecar];
  const others = written.filter((path) => !made.some((parent) => isWithin(path, parent)));
  return { state, runs, others: outermost(others) };
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
