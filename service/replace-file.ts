import { rename, writeFile } from 'node:fs/promises';

/**
 * Writes a whole file: who reads it finds the old one or the new one. Not forced to the disk; see `writeDurably` for what
 * a power failure must not take. One call at a time for a path: each writes the same temporary file.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o640 });
  await rename(`${path}.new`, path);
}
