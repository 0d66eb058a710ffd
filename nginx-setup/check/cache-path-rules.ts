import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../../service/error-code.ts';
import { type Finding, type Place, placeOf, shellWord } from '../../service/finding.ts';
import { reasonOf } from '../../service/log.ts';
import { obstacle } from '../conf/worker.ts';
import { runningPhp } from '../program/running-php.ts';
import type { Facts } from './facts.ts';

const PATHS = ['proxy_cache_path', 'fastcgi_cache_path'];
const OTHERS = 0o077;
const WRITE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

type Checked = { facts: Facts; folder: string; where: Place };

/** Who else can read or change the pages that nginx keeps, and whether its workers can. `php`: the users of PHP on this host. */
export async function cachePathFindings(
  facts: Facts,
  php: () => Promise<{ uid: number; program: string }[]> = runningPhp,
): Promise<Finding[]> {
  const include = facts.site.ours.findLast(({ name }) => name === 'http-protect.conf');
  if (include === undefined) return [];
  const where = placeOf(include.directive);
  const folders = include.file.directives.flatMap(({ name, args }) =>
    PATHS.includes(name) && args[0] !== undefined ? [args[0]] : [],
  );
  const each = await Promise.all(folders.map((folder) => folderFindings({ facts, folder, where })));
  return [...each.flat(), ...(await sharedUser(facts, where, php))];
}

async function folderFindings(checked: Checked): Promise<Finding[]> {
  const { folder, facts } = checked;
  try {
    const found = await statIfThere(folder);
    if (found === undefined) return await noParent(checked);
    return [...open(checked, found), ...(await openAbove(checked)), ...(await unusable(checked, facts))];
  } catch (error) {
    return [unknown(checked, reasonOf(error))];
  }
}

/** Undefined if it does not exist. Rejects if that cannot be found out. */
async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function unknown({ folder, where }: Checked, reason: string): Finding {
  return {
    id: 'cache-unknown',
    severity: 'warning',
    what: `who has access to ${folder} cannot be seen: ${reason}`,
    where,
    why: 'anyone who can write there can change cached pages; anyone who can read there sees pages behind a password',
    fix: 'run the check as root',
  };
}

/** nginx makes the folder itself, but nothing above it. */
async function noParent({ folder, where }: Checked): Promise<Finding[]> {
  const parent = dirname(folder);
  if ((await statIfThere(parent))?.isDirectory()) return [];
  return [
    {
      id: 'cache-no-parent',
      severity: 'error',
      what: `${parent} does not exist; nginx caches pages below it`,
      where,
      why: 'nginx creates only the last folder of a path, and would not start',
      fix: 'create it, or set nginx.cache_dir',
      command: `mkdir -p ${shellWord(parent)}`,
    },
  ];
}

function open({ folder, facts, where }: Checked, { mode, uid }: Stats): Finding[] {
  const { worker } = facts;
  const isForeign = worker.ids !== undefined && uid !== worker.ids.uid && uid !== 0;
  if ((mode & OTHERS) === 0 && !isForeign) return [];
  const rights = isForeign ? `belongs to uid ${uid}` : `has mode ${octal(mode)}`;
  return [
    {
      id: 'cache-open',
      severity: isForeign || (mode & WRITE_BY_OTHERS) !== 0 ? 'error' : 'warning',
      what: `others than nginx's workers (${worker.name}) have access to ${folder}, which ${rights}`,
      where,
      why: 'anyone who can write there can change cached pages; anyone who can read there sees pages behind a password',
      fix: 'nginx creates it with mode 0700 for its workers: set this owner and mode again',
      command: isForeign
        ? `chown ${worker.ids?.uid ?? worker.name} ${shellWord(folder)} && chmod 700 ${shellWord(folder)}`
        : `chmod 700 ${shellWord(folder)}`,
    },
  ];
}

/** Who can rename a folder can put another in its place. */
async function openAbove({ folder, where }: Checked): Promise<Finding[]> {
  for (let at = dirname(folder); at !== dirname(at); at = dirname(at)) {
    const { mode, gid } = await stat(at);
    const writes = mode & WRITE_BY_OTHERS & (gid === 0 ? 0o002 : WRITE_BY_OTHERS);
    if (writes === 0 || (mode & STICKY) !== 0) continue;
    return [
      {
        id: 'cache-open',
        severity: 'error',
        what: `others can replace ${folder}: ${at} has mode ${octal(mode)}`,
        where,
        why: 'anyone who can write there can change cached pages',
        fix: 'remove their write permission, or set nginx.cache_dir to a folder in /var/cache',
      },
    ];
  }
  return [];
}

async function unusable({ folder, where }: Checked, { worker }: Facts): Promise<Finding[]> {
  const barrier = worker.ids && (await obstacle(worker.ids, folder, ['read', 'write', 'enter']));
  if (barrier === undefined) return [];
  return [
    {
      id: 'cache-not-writable',
      severity: 'error',
      what: `nginx's workers (${worker.name}) cannot keep pages in ${folder}`,
      where,
      why: `${barrier} denies it: pages come from the origin, hot or not`,
      fix: 'give the folder to the user of the workers; the folders above need x for it',
    },
  ];
}

/** A script of the shop, or of another site on this host, that runs as the workers do. */
async function sharedUser(
  { worker }: Facts,
  where: Place,
  php: () => Promise<{ uid: number; program: string }[]>,
): Promise<Finding[]> {
  const { ids } = worker;
  if (ids === undefined || ids.uid === 0) return [];
  const shared = (await php()).find(({ uid }) => uid === ids.uid);
  if (shared === undefined) return [];
  return [
    {
      id: 'cache-shared-user',
      severity: 'note',
      what: `${shared.program} runs scripts as ${worker.name}, as nginx runs its workers`,
      where,
      why: 'a script can change the cached pages of every site of that user, and read the secret that fills the cache',
      fix: 'give each pool of php-fpm a user of its own (user, group in pool.d)',
    },
  ];
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
