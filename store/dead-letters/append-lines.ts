import { open } from 'node:fs/promises';

const NEWLINE = 0x0a;

/**
 * Appends `lines`, each with its newline. If a full disk or a power cut left an incomplete line, it begins a new one first, so that the
 * appended text does not become its end.
 */
export async function appendLines(path: string, lines: string): Promise<void> {
  const file = await open(path, 'a+', 0o640);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    await file.appendFile(size > 0 && last[0] !== NEWLINE ? `\n${lines}` : lines);
  } finally {
    await file.close();
  }
}
