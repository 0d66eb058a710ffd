import { lstat, open, unlink } from 'node:fs/promises';

/** nginx's workers see that it is there, and need not read it. */
const MODE = 0o644;

/**
 * Creates an empty marker file. Anything else at `path` may be an attacker's: nothing is opened
 * that exists, so no link is followed, no file truncated and no pipe blocks. Rejects if it cannot be created.
 */
export async function makeMarker(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile()) return;
  await removeMarker(path);
  const file = await open(path, 'wx', MODE);
  await file.close();
}

/** A folder stays: nginx takes it for no marker. */
export async function removeMarker(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'EISDIR') throw error;
  });
}
