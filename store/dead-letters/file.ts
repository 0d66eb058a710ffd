import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { codeOf } from '../../service/error-code.ts';
import { toJson } from '../../service/json-text.ts';
import { appendLines } from './append-lines.ts';
import type { DeadLetterBox, KeptLetter } from './box.ts';

const letter = z.object({
  time: z.string(),
  recorded: z.iso.datetime().optional(),
  reason: z.string(),
  origin: z.string(),
  value: z.string(),
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
});
const note = z.object({ replayed: z.string() });
const ID_DIGITS = 12;
/** Left by a power cut in place of letters that were not on disk yet. */
const LEADING_NULS = /^\0+/;
/** Bytes written at once by the copy of a purge. */
const WRITE_CHARACTERS = 256 * 1024;

/**
 * The file that `createDeadLetterFile` writes, and the older one beside it. Both may be appended to meanwhile: notes are lines as well. A
 * line that is neither (truncated by a crash) is skipped.
 */
export function createDeadLetterFileBox(path: string): DeadLetterBox {
  const purging = `${path}.purging`;
  // The leftovers of a purge that was killed.
  const files = [`${path}.1`, purging, path];
  return { name: `file ${path}`, read, find, markReplayed, purge, close: async () => {} };

  async function read(
    handle: (letter: KeptLetter) => void | Promise<void>,
    onLook?: () => void,
  ): Promise<void> {
    const replayed = new Set<string>();
    for (const file of files) {
      for await (const line of linesOf(file)) {
        onLook?.();
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
    if (lines.length > 0) await appendLines(path, lines.join(''));
  }

  /** If that fails, for example on a full disk, every letter still exists, and the next purge begins with the leftovers. */
  async function purge(time: number): Promise<void> {
    if ((await sizeOf(purging)) !== undefined) await keepLater(time);
    // New letters go into a new file, which is not touched.
    await unlessMissing(rename(path, purging));
    await keepLater(time);
  }

  /** Merges the older file and the one being purged into the older. */
  async function keepLater(time: number): Promise<void> {
    let size: number | undefined;
    do {
      // A sidecar that had it open before it was renamed may have added a letter meanwhile.
      size = await sizeOf(purging);
      await copyLater(time).catch((cause: unknown) => {
        throw new Error(`cannot write ${path}.kept, nothing was deleted`, { cause });
      });
    } while ((await sizeOf(purging)) !== size);
    await rename(`${path}.kept`, `${path}.1`);
    await rm(purging, { force: true });
  }

  async function copyLater(time: number): Promise<void> {
    const kept = await open(`${path}.kept`, 'w', 0o640);
    try {
      let text = '';
      for (const file of [`${path}.1`, purging]) {
        for await (const line of linesOf(file)) {
          if (!isLater(line, time)) continue;
          text += `${line}\n`;
          if (text.length < WRITE_CHARACTERS) continue;
          await kept.appendFile(text);
          text = '';
        }
      }
      await kept.appendFile(text);
      await kept.sync();
    } finally {
      await kept.close();
    }
  }
}

/** A note is kept as long as the file is: its letter may still be there. */
function isLater(line: string, time: number): boolean {
  const found = toLetter(line, new Set());
  return found === undefined ? note.safeParse(toValue(line)).success : found.time >= time;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file);
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  } finally {
    stream.destroy();
  }
}

function toLetter(line: string, replayed: Set<string>): KeptLetter | undefined {
  const found = letter.safeParse(toValue(line));
  if (!found.success) return undefined;
  const { time, recorded, reason, origin, value, encoding } = found.data;
  const id = createHash('sha256').update(line).digest('hex').slice(0, ID_DIGITS);
  const at = Date.parse(time) || 0;
  return {
    id,
    time: at,
    recorded: recorded === undefined ? undefined : Date.parse(recorded),
    reason,
    origin,
    value: Buffer.from(value, encoding),
    replayed: replayed.has(id),
  };
}

function toValue(line: string): unknown {
  return toJson(line.replace(LEADING_NULS, ''));
}

async function unlessMissing(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}
