import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import { loadOffsets, type Offsets } from './tail-offsets.ts';
import type { TakeIn } from './take-in.ts';

export type TailOptions = {
  /** Folder in which nginx writes a file a minute. */
  dir: string;
  /** File that holds how far each was taken in. */
  offsetsPath: string;
  takeIn: TakeIn;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** How often the folder is looked at, ms. */
  everyMs?: number;
};

export type Tail = { close(): Promise<void> };

const CHUNK = 1024 * 1024;
const NEWLINE = 0x0a;
/** A minute's file, nginx's cache of open files (60 s) and a grace: nobody writes to it any more. */
const REMOVED_AFTER_MS = 180_000;

/**
 * Takes in what nginx spilled: every complete line of every file, also while it grows. How far it came is stored after
 * the spool has it, so that a crash in between reads some lines twice; they are the same events. A file is removed once
 * it is taken in and was not written to for three minutes.
 */
export async function startTail(options: TailOptions): Promise<Tail> {
  const { dir, takeIn, metrics, warn, now, everyMs = 500 } = options;
  const files = metrics.of('spill_files');
  const waiting = metrics.of('spill_waiting_bytes');
  const offsets = await loadOffsets(options.offsetsPath);
  const stopping = new AbortController();
  const running = run();
  return {
    async close() {
      stopping.abort();
      await running;
    },
  };

  async function run(): Promise<void> {
    const buffer = Buffer.allocUnsafe(CHUNK);
    while (!stopping.signal.aborted) {
      await look(buffer).catch((error: unknown) => {
        warn('tail', 'cannot take in spilled lines, trying again', { reason: reasonOf(error) });
      });
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  async function look(buffer: Buffer): Promise<void> {
    const names = (await readdir(dir)).filter((name) => name.endsWith('.tsv')).sort();
    files.set(names.length);
    let behind = 0;
    for (const name of names) {
      if (stopping.signal.aborted) return;
      behind += await follow(join(dir, name), offsets, buffer);
      waiting.set(behind);
    }
    waiting.set(behind);
  }

  /** Returns how many bytes are left: the beginning of a line, usually nothing. */
  async function follow(path: string, offsets: Offsets, buffer: Buffer): Promise<number> {
    const found = await stat(path);
    const key = `${found.dev}:${found.ino}`;
    let offset = offsets.get(key);
    if (found.size < offset) offset = 0;
    const old = now() - found.mtimeMs > REMOVED_AFTER_MS;
    if (found.size > offset) offset = await readFrom(path, { key, offset, last: old, offsets, buffer });
    if (old && offset >= found.size) {
      await unlink(path);
      await offsets.forget(key);
      return 0;
    }
    return Math.max(0, found.size - offset);
  }

  async function readFrom(path: string, { key, offset, last, offsets, buffer }: Reading): Promise<number> {
    const file = await open(path);
    try {
      let at = offset;
      while (!stopping.signal.aborted) {
        const lines = await completeLines(file, { at, last, buffer });
        if (lines.length === 0) return at;
        await takeIn(lines, 'spill');
        at += lines.length;
        await offsets.set(key, at);
      }
      return at;
    } finally {
      await file.close();
    }
  }
}

type Reading = { key: string; offset: number; last: boolean; offsets: Offsets; buffer: Buffer };

/** What ends in a newline; all of it where nobody will ever end it, or where one line fills the buffer. */
async function completeLines(
  file: FileHandle,
  { at, last, buffer }: { at: number; last: boolean; buffer: Buffer },
): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
  const bytes = buffer.subarray(0, bytesRead);
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end > 0) return bytes.subarray(0, end);
  return last || bytesRead === buffer.length ? bytes : bytes.subarray(0, 0);
}
