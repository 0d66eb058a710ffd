import type { BigIntStats } from 'node:fs';
import { lstat, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SYSTEM_PATHS } from '../../service/config/system-paths.ts';
import { type Finding, type Place, placeOf } from '../../service/finding.ts';
import { inherited, type OurInclude } from '../conf/site.ts';
import { obstacle } from '../conf/worker.ts';
import { defaultHot } from '../includes.ts';
import { runningNginx } from '../program/running-nginx.ts';
import type { Facts } from './facts.ts';
import { isHotOff, LOOK } from './hot-rules.ts';
import { installAgain } from './mend.ts';

const TMPFS = 0x01021994;

/** What keeps nginx on this host from reading the folder of the hot list. */
export async function hotPathFindings(facts: Facts): Promise<Finding[]> {
  const [look] = facts.site.ours.filter(({ name }) => name === LOOK);
  const folder = look && folderOf(look);
  if (look === undefined || folder === undefined || isHotOff(facts.site)) return [];
  const where = placeOf(look.directive);
  const parts = await Promise.all([
    differs(facts, folder, where),
    closed(facts, folder, where),
    linked(look, folder),
    elsewhere(facts, folder, where),
    missing(facts, folder, where),
  ]);
  return parts.flat();
}

/** `if (-f "/run/hotitem/hot/$hotitem_lease/hot/$hotitem_file")` */
function folderOf({ file }: OurInclude): string | undefined {
  const condition = file.directives.find(({ name }) => name === 'if')?.args.join(' ');
  return /^\(-f (\/.*?)\/\$hotitem_lease\//.exec(condition ?? '')?.[1];
}

function differs({ sidecar, site }: Facts, folder: string, where: Place): Finding[] {
  const own = sidecar.hot ?? defaultHot(sidecar.socket);
  if (folder === own) return [];
  return [
    {
      id: 'hot-differs',
      severity: 'error',
      what: `nginx reads hot items from ${folder}, but the sidecar writes them to ${own}`,
      where,
      why: 'no item is ever hot in nginx',
      fix: "write the includes with the sidecar's configuration, or change heat.dir",
      ...installAgain(site),
    },
  ];
}

async function closed({ worker }: Facts, folder: string, where: Place): Promise<Finding[]> {
  const barrier = worker.ids && (await obstacle(worker.ids, folder, ['enter']));
  if (barrier === undefined) return [];
  return [
    {
      id: 'hot-not-readable',
      severity: 'error',
      what: `nginx's workers (${worker.name}) cannot read ${folder}`,
      where,
      why: `${barrier} does not let them; no item is ever hot in nginx`,
      fix: `set intake.socket_group to a group of ${worker.name}: the sidecar assigns the folder to it at its start; the group also needs x on the parent folders`,
    },
  ];
}

/** With `disable_symlinks` nginx does not see files below a symbolic link. */
async function linked(look: OurInclude, folder: string): Promise<Finding[]> {
  const set = inherited(look, 'disable_symlinks');
  if (set === undefined || set.args[0] === 'off') return [];
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    if (!(await lstat(at).catch(() => undefined))?.isSymbolicLink()) continue;
    return [
      {
        id: 'hot-behind-link',
        severity: 'error',
        what: `disable_symlinks ${set.args.join(' ')} also applies to ${LOOK}, and ${at} is a symbolic link`,
        where: placeOf(set),
        why: 'nginx does not follow it: no item is ever hot',
        fix: 'name the folder by its own path (heat.dir), or move disable_symlinks into the locations that serve files',
      },
    ];
  }
  return [];
}

/** An nginx with this configuration that runs in a chroot or in a container. */
async function elsewhere({ site }: Facts, folder: string, where: Place): Promise<Finding[]> {
  const own = await identityOf(folder);
  const main = site.configuration.main.path;
  const conf = await identityOf(main);
  if (own === undefined || conf === undefined) return [];
  for (const { pid } of await runningNginx()) {
    const root = `/proc/${pid}/root`;
    if (!isSame(await identityOf(`${root}${main}`), conf)) continue;
    if (isSame(await identityOf(`${root}${folder}`), own)) continue;
    return [
      {
        id: 'hot-elsewhere',
        severity: 'error',
        what: `the running nginx (process ${pid}) sees another folder at ${folder}, or none`,
        where,
        why: 'it runs in a container or a chroot, so no item is ever hot in it',
        fix: `mount ${folder} there, read-only`,
      },
    ];
  }
  return [];
}

async function missing({ sidecar }: Facts, folder: string, where: Place): Promise<Finding[]> {
  const system = await statfs(folder).catch(() => undefined);
  if (system === undefined) {
    // If no sidecar runs, the rule about the socket reports it.
    if ((await identityOf(sidecar.socket)) === undefined) return [];
    return [
      {
        id: 'hot-not-there',
        severity: 'note',
        what: `${folder} does not exist, or you cannot see it`,
        where,
        why: 'the sidecar runs but has not created it: no item is hot in nginx',
        fix: '/readyz?verbose of the sidecar says why; with heat.enabled: false this is expected',
      },
    ];
  }
  if (system.type === TMPFS) return [];
  return [
    {
      id: 'hot-on-disk',
      severity: 'note',
      what: `${folder} is on a disk`,
      where,
      why: 'nginx reads it for each request, and the sidecar writes to it during ingestion: a busy disk delays both',
      fix: `keep it in memory: heat.dir: ${SYSTEM_PATHS.run}/hot`,
    },
  ];
}

function identityOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

function isSame(a: BigIntStats | undefined, b: BigIntStats): boolean {
  return a?.dev === b.dev && a.ino === b.ino;
}
