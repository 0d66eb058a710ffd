import { readFile, writeFile } from 'node:fs/promises';

/** Replaces the first `from` in a file. Rejects if there is none, because the test would not test what its name says. */
export async function replaceIn(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} holds no ${from}`);
  await writeFile(
    path,
    text.replace(from, () => to),
  );
}
