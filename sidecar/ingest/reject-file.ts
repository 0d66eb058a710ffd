import { appendFile, rename, stat } from 'node:fs/promises';
import type { BadLine } from '../../event/bad-line.ts';

const LARGEST = 16 * 1024 * 1024;
const MOST_PENDING = 10_000;

/**
 * Stores lines that are not events, as JSON, in `path`; at 16 MB it is rotated, and one older file is kept. Returns at once; lines that
 * cannot be written are only counted.
 */
export function createRejectFile(path: string, now: () => number): (line: BadLine) => void {
  let pending: string[] = [];
  let writing = false;
  return (line) => {
    if (pending.length < MOST_PENDING)
      pending.push(JSON.stringify({ time: new Date(now()).toISOString(), ...line }));
    if (!writing) write();
  };

  async function write(): Promise<void> {
    writing = true;
    while (pending.length > 0) {
      const lines = `${pending.join('\n')}\n`;
      pending = [];
      await makeRoom()
        .then(() => appendFile(path, lines, { mode: 0o640 }))
        .catch(() => {});
    }
    writing = false;
  }

  async function makeRoom(): Promise<void> {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size > LARGEST) await rename(path, `${path}.1`);
  }
}
