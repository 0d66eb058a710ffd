import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { partsOf } from '../app/parts.ts';
import type { Config } from '../service/config/config.ts';
import { type Finding, shellWord } from '../service/finding.ts';
import { reasonOf } from '../service/log.ts';
import type { ServiceUser } from './service-user.ts';

/** Space for a segment of the spool, and the files written beside it. */
const LEAST_FREE = 96 * 1024 * 1024;
const LEAST_FILES = 100;

/** Whether the current user can write to the folders of the service, and whether their disks have space. */
export function folderFindings(config: Config, user: ServiceUser): Finding[] {
  const { home, spool, spill, duckdb } = config;
  const folders = [home, spool.dir, spill.dir];
  if (partsOf(config).index === 'duckdb') folders.push(dirname(duckdb.path));
  const seen = new Set<string>();
  return folders.map(nearest).flatMap((folder) => {
    if (seen.has(folder)) return [];
    seen.add(folder);
    return [...unwritable(folder, user), ...full(folder, seen)];
  });
}

/** The folder, or the nearest existing one above it. */
function nearest(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearest(dirname(folder));
}

function unwritable(folder: string, { name, uid, gid }: ServiceUser): Finding[] {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    return [
      {
        id: 'folder-not-writable',
        severity: 'error',
        what: `the user ${name} cannot write to ${folder}: ${reasonOf(error)}`,
        why: 'the service stores events there',
        fix: 'chown the folder to the user of the service',
        command: `chown -R ${uid}:${gid} ${shellWord(folder)}`,
      },
    ];
  }
}

/** One finding per disk. */
function full(folder: string, seen: Set<string>): Finding[] {
  const { bavail, bsize, blocks, ffree, files, type } = statfsSync(folder);
  const disk = `${type} ${blocks} ${bavail} ${ffree}`;
  if (seen.has(disk)) return [];
  seen.add(disk);
  const free = bavail * bsize;
  const noFiles = files > 0 && ffree < LEAST_FILES;
  if (free >= LEAST_FREE && !noFiles) return [];
  return [
    {
      id: 'disk-full',
      severity: 'error',
      what: `the disk of ${folder} has ${noFiles ? `${ffree} files` : `${Math.floor(free / 1024 ** 2)} MB`} left`,
      why: 'when it is full, nothing is ingested: nginx spills, and drops views if it cannot spill either',
      fix: 'free space on it (the command lists the largest files), or lower spool.max_bytes and spill.max_bytes',
      command: `du -xah ${shellWord(folder)}/.. | sort -h | tail -n 20`,
    },
  ];
}
