import { readdir, readFile, readlink } from 'node:fs/promises';
import { processIds } from './processes.ts';

/** The state of a listening socket in /proc/net/tcp. */
const LISTENS = '0A';

export type Listener = { pid: number; name: string };

/**
 * The processes that listen on a TCP port of this host, oldest first. Empty if there is none, or none is visible: only root sees the
 * sockets of other users, and only Linux has /proc.
 */
export async function listenersAt(port: number): Promise<Listener[]> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(read));
  const inodes = new Set(
    tables.flatMap((table) => inodesOf(table, port)).map((inode) => `socket:[${inode}]`),
  );
  if (inodes.size === 0) return [];
  const pids = await processIds();
  const found = await Promise.all(pids.map(async (pid) => ((await holds(pid, inodes)) ? [pid] : [])));
  const sorted = found.flat().sort((a, b) => a - b);
  return Promise.all(
    sorted.map(async (pid) => ({ pid, name: (await read(`/proc/${pid}/comm`)).trim() || 'unknown' })),
  );
}

function inodesOf(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTENS && local.endsWith(suffix) && inode !== undefined ? [inode] : [];
  });
}

async function holds(pid: number, sockets: Set<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const fd of await readdir(folder).catch(() => [])) {
    if (sockets.has(await readlink(`${folder}/${fd}`).catch(() => ''))) return true;
  }
  return false;
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
