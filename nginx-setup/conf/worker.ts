import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { run } from '../../service/run.ts';
import type { Build } from '../program/build.ts';
import type { Configuration } from './configuration.ts';
import { childrenOf } from './site.ts';

/** The user that nginx's workers run as. */
export type Worker = {
  name: string;
  /** Undefined if this host has no such user. */
  ids: Ids | undefined;
};

export type Ids = { uid: number; gids: number[] };

const MODES = { read: 0o4, write: 0o2, enter: 0o1 } as const;

/** The user that the workers run as: from the configuration, else nginx's built-in default. Only an nginx started by root changes its user. */
export async function findWorker(build: Build, { main }: Configuration): Promise<Worker> {
  const user = [...childrenOf(main.directives)].find(({ name }) => name === 'user');
  if (user === undefined && process.getuid?.() !== 0) return { name: 'you', ids: ownIds() };
  const [name = build.user, group = user === undefined ? build.group : name] = user?.args ?? [];
  const [uid, gids, gid] = await Promise.all([id('-u', name), id('-G', name), groupId(group)]);
  if (uid === undefined || gids === undefined) return { name, ids: undefined };
  const numbers = gids.split(' ').map(Number);
  return { name, ids: { uid: Number(uid), gids: gid === undefined ? numbers : [gid, ...numbers] } };
}

/**
 * What denies a user this access to a path: the path itself or a folder above it, with owner, group and mode. Undefined if access is
 * allowed. Considers owner, group and mode only, not access lists or security modules.
 */
export async function obstacle(
  ids: Ids,
  path: string,
  need: (keyof typeof MODES)[],
): Promise<string | undefined> {
  if (ids.uid === 0) return undefined;
  for (let at = dirname(path), last = ''; at !== last; last = at, at = dirname(at)) {
    const found = await lacks(ids, at, ['enter']);
    if (found !== undefined) return found;
  }
  return lacks(ids, path, need);
}

async function lacks(
  { uid, gids }: Ids,
  path: string,
  need: (keyof typeof MODES)[],
): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const shift = found.uid === uid ? 6 : gids.includes(found.gid) ? 3 : 0;
  const wanted = need.reduce((bits, name) => bits | MODES[name], 0);
  if (((found.mode >> shift) & wanted) === wanted) return undefined;
  return `${path} (uid ${found.uid}, gid ${found.gid}, mode ${(found.mode & 0o7777).toString(8).padStart(4, '0')})`;
}

function ownIds(): Ids | undefined {
  const uid = process.getuid?.();
  return uid === undefined
    ? undefined
    : { uid, gids: [process.getgid?.() ?? -1, ...(process.getgroups?.() ?? [])] };
}

async function id(flag: string, name: string): Promise<string | undefined> {
  const { code, stdout } = await run('id', [flag, '--', name], { timeoutMs: 5_000 });
  return code === 0 ? stdout.trim() : undefined;
}

async function groupId(name: string): Promise<number | undefined> {
  const { code, stdout } = await run('getent', ['group', name], { timeoutMs: 5_000 });
  return code === 0 ? Number(stdout.split(':')[2]) : undefined;
}
