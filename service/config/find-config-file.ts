import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';

/** Which configuration file is used. */
export type ConfigPlace = {
  /** Undefined if there is none. */
  file: string | undefined;
  /** True if it was named with --config or HOTITEM_CONFIG, false if it was found. */
  named: boolean;
  /** The other places that were checked; `passedOver`: a file that exists but is not read. */
  looked: string[];
  passedOver: string[];
};

export type ConfigPlaces = {
  file?: string | undefined;
  env: Record<string, string | undefined>;
  usual?: { paths: string[] };
};

/**
 * Finds the configuration file: the one that `file` names, otherwise HOTITEM_CONFIG, otherwise the first that exists at one of the usual
 * places.
 */
export function findConfigFile({ file, env, usual }: ConfigPlaces): ConfigPlace {
  const named = file ?? (env.HOTITEM_CONFIG || undefined);
  const there = (usual?.paths ?? []).filter(mayBeThere).map((path) => resolve(path));
  const looked = (usual?.paths ?? []).map((path) => resolve(path));
  const found = named ?? there[0];
  const passedOver = there.filter((path) => path !== (found && resolve(found)));
  return { file: found, named: named !== undefined, looked, passedOver };
}

/** A file that cannot be inspected counts as existing: skipping it would silently select another configuration. */
function mayBeThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
