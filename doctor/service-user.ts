import { readFileSync, statSync } from 'node:fs';
import { run } from '../service/run.ts';

/** The user that a service runs as. */
export type ServiceUser = {
  name: string;
  uid: number;
  gid: number;
  groups: number[];
  /** How it was found. */
  by: string;
};

/**
 * The user that the service runs as: that of the process that answers as the sidecar, else the owner of its folder. Undefined if there
 * is neither.
 */
export async function findServiceUser(
  pid: number | undefined,
  home: string,
): Promise<ServiceUser | undefined> {
  const running = pid === undefined ? undefined : identityOf(pid);
  if (running !== undefined) return { ...running, name: await nameOf(running.uid), by: `of process ${pid}` };
  const owner = ownerOf(home);
  if (owner === undefined) return undefined;
  const name = await nameOf(owner.uid);
  return { ...owner, name, groups: await groupsOf(name, owner.gid), by: `${home} is its` };
}

function identityOf(pid: number): Pick<ServiceUser, 'uid' | 'gid' | 'groups'> | undefined {
  try {
    // The process id may be from another container.
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('hotitem')) return undefined;
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const numbers = (label: string) =>
      (new RegExp(`^${label}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '')
        .split(/\s+/)
        .filter((word) => word !== '')
        .map(Number);
    const [, uid] = numbers('Uid');
    const [, gid] = numbers('Gid');
    return uid === undefined || gid === undefined ? undefined : { uid, gid, groups: numbers('Groups') };
  } catch {
    return undefined;
  }
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  try {
    const { uid, gid } = statSync(path);
    return { uid, gid };
  } catch {
    return undefined;
  }
}

async function nameOf(uid: number): Promise<string> {
  const { code, stdout } = await run('id', ['-un', '--', String(uid)], { timeoutMs: 5_000 });
  return code === 0 ? stdout.trim() : String(uid);
}

async function groupsOf(name: string, gid: number): Promise<number[]> {
  const { code, stdout } = await run('id', ['-G', '--', name], { timeoutMs: 5_000 });
  return code === 0 ? stdout.trim().split(' ').map(Number) : [gid];
}
