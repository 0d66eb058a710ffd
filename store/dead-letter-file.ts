import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { DeadLetterBox, KeptLetter } from './dead-letter-box.ts';

const letter = z.object({
  time: z.string(),
  reason: z.string(),
  origin: z.string(),
  value: z.string(),
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
});
const note = z.object({ replayed: z.string() });
const ID_DIGITS = 12;

/**
 * The file that `createDeadLetterFile` writes, and the older one beside it. Both may be appended to meanwhile: a note is a
 * line as well. A line that is neither (cut off by a crash) is passed over.
 */
export function createDeadLetterFileBox(path: string): DeadLetterBox {
  const purging = `${path}.purging`;
  // What a purge that was killed left is still there.
  const files = [`${path}.1`, purging, path];
  return { name: `file ${path}`, read, find, markReplayed, purge, close: async () => {} };

  async function read(handle: (letter: KeptLetter) => void | Promise<void>): Promise<void> {
    const replayed = new Set<string>();
    for (const file of files) {
      for await (const line of linesOf(file)) {
        const found = note.safeParse(toValue(line));
        if (found.success) replayed.add(found.data.replayed);
      }
    }
    for (const file of files) {
      for await (const line of linesOf(file)) {
        const found = toLetter(line, replayed);
        if (found !== undefined) await handle(found);
      }
    }
  }

  async function find(id: string): Promise<KeptLetter | undefined> {
    let found: KeptLetter | undefined;
    await read((candidate) => {
      if (candidate.id === id) found = candidate;
    });
    return found;
  }

  async function markReplayed(ids: string[]): Promise<void> {
    const time = new Date().toISOString();
    const lines = ids.map((id) => `${JSON.stringify({ replayed: id, time })}\n`);
    if (lines.length > 0) await appendFile(path, lines.join(''), { mode: 0o640 });
  }

  async function purge(time: number): Promise<void> {
    const kept = createWriteStream(`${path}.kept`, { mode: 0o640 });
    // What comes from now on goes into a new file, which stays as it is.
    await unlessMissing(rename(path, purging));
    for (const file of [`${path}.1`, purging]) {
      for await (const line of linesOf(file)) {
        const found = toLetter(line, new Set());
        const isLater = found === undefined ? note.safeParse(toValue(line)).success : found.time >= time;
        if (isLater && !kept.write(`${line}\n`)) await once(kept, 'drain');
      }
    }
    kept.end();
    await once(kept, 'close');
    await rename(`${path}.kept`, `${path}.1`);
    await rm(purging, { force: true });
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file);
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (!isMissing(error)) throw error;
  } finally {
    stream.destroy();
  }
}

function toLetter(line: string, replayed: Set<string>): KeptLetter | undefined {
  const found = letter.safeParse(toValue(line));
  if (!found.success) return undefined;
  const { time, reason, origin, value, encoding } = found.data;
  const id = createHash('sha256').update(line).digest('hex').slice(0, ID_DIGITS);
  const at = Date.parse(time) || 0;
  return { id, time: at, reason, origin, value: Buffer.from(value, encoding), replayed: replayed.has(id) };
}

function toValue(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function unlessMissing(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
