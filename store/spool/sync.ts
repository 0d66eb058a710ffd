import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes names in the folder durable: a file that was made, renamed or removed. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Writes a whole file so that after a crash there is the old one or the new one, never a part. One call at a time for a
 * path: each writes the same temporary file.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}
