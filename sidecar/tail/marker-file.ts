import { lstat, open, unlink } from 'node:fs/promises';

/** nginx's workers check that it exists, and need not read it. */
const MODE = 0o644;

/**
 * Creates an empty marker file. Anything else at `path` may be an attacker's: no existing file is opened, so no link is followed, no file
 * truncated, and no pipe blocks. Rejects if it cannot be created.
 */
export async function makeMarker(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile()) return;
  await removeMarker(path);
  const file = await open(path, 'wx', MODE);
  await file.close();
}

/** A folder is left there: nginx does not take it for the marker. */
export async function removeMarker(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'EISDIR') throw error;
  });
}
