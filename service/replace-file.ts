import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export type ReplaceOptions = {
  /** Mode of the file, whatever the umask; default: 0640 less the umask. */
  mode?: number;
  owner?: { uid: number; gid: number };
  /** Whether to fsync: after a power failure, the old or the new file exists. */
  durable?: boolean;
};

/** Replaces a file atomically: readers see the old or the new content, never a part. One call at a time for a path. */
export async function replaceFile(path: string, text: string, options: ReplaceOptions = {}): Promise<void> {
  // Another process may write the same path, and it may be a link of another user.
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await rm(temporary, { force: true });
    await write(temporary, text, options);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw naming(error, path);
  }
  if (options.durable) await syncFolder(dirname(path));
}

/** Node does not name the file that it could not write to, where the disk is full. */
function naming(error: unknown, path: string): unknown {
  if (error instanceof Error && !error.message.includes(path)) error.message += ` '${path}'`;
  return error;
}

async function write(path: string, text: string, { mode, owner, durable }: ReplaceOptions): Promise<void> {
  const file = await open(path, 'wx', mode ?? 0o640);
  try {
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(text);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes names in the folder durable: files that were created, renamed or removed. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
