import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where the configuration is. */
export type ConfigPlace = {
  /** Undefined where there is none. */
  file: string | undefined;
  /** It was named with --config or HOTITEM_CONFIG. Otherwise it was found. */
  named: boolean;
  /** The other places: `passedOver` holds a file that is not read, at the rest there is none. */
  looked: string[];
  passedOver: string[];
};

export type ConfigPlaces = {
  file?: string | undefined;
  env: Record<string, string | undefined>;
  usual?: { paths: string[] };
};

/** Which file is read: the one that `file` names, else HOTITEM_CONFIG, else the first that lies at one of the usual places. */
export function findConfigFile({ file, env, usual }: ConfigPlaces): ConfigPlace {
  const named = file ?? (env.HOTITEM_CONFIG || undefined);
  const there = (usual?.paths ?? []).filter(mayBeThere).map((path) => resolve(path));
  const looked = (usual?.paths ?? []).map((path) => resolve(path));
  const found = named ?? there[0];
  const passedOver = there.filter((path) => path !== (found && resolve(found)));
  return { file: found, named: named !== undefined, looked, passedOver };
}

/** One that may not be looked at counts as there: passing over it would be another configuration without a word. */
function mayBeThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
