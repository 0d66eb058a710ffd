import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import type { SpillLimit } from './spill-limit.ts';
import { openLines } from './tail-file.ts';
import { listTailed, type TailedFile } from './tail-folder.ts';
import { loadOffsets } from './tail-offsets.ts';
import type { TakeIn } from './take-in.ts';

export type TailOptions = {
  /** Folder in which nginx writes a file a minute. */
  dir: string;
  /** Makes it, where somebody removed it: nginx writes nothing before it is back. */
  makeFolder: () => void;
  /** File that holds how far each was taken in. */
  offsetsPath: string;
  takeIn: TakeIn;
  /** Told of the folder's size each time it is looked at. */
  limit?: SpillLimit;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** How often the folder is looked at, ms. */
  everyMs?: number;
};

export type Tail = {
  /** Why it cannot ingest what is in the folder; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
};

/** Some 1,500 lines: the sidecar answers nginx in between. */
const CHUNK_BYTES = 256 * 1024;
/** What a killed sidecar reads again at most. */
const STORE_BYTES = 4 * 1024 * 1024;
/** How long files of the past may keep the tail from what is being written now. */
const ROUND_MS = 2_000;
/** A folder that takes long to look at is looked at less often. */
const SHARE_OF_LOOKING = 5;
/** How long a file is left alone that cannot be read or removed. */
const PUT_OFF_MS = 30_000;

/**
 * Takes in what nginx wrote to files, spills and the transport `log`: every complete line of every file, also while it
 * grows. How far it came is stored after the spool has it, so that a crash in between reads some lines twice; they are the
 * same events. A file is removed once it is taken in and was not written to for three minutes.
 *
 * What is being written comes first, then what is left from before, oldest first. A file that cannot be read is tried again
 * later and keeps nobody waiting.
 */
export async function startTail(options: TailOptions): Promise<Tail> {
  const { dir, makeFolder, takeIn, limit, metrics, warn, now, everyMs = 200 } = options;
  const count = metrics.of('spill_files');
  const waiting = metrics.of('spill_waiting_bytes');
  const offsets = await loadOffsets(options.offsetsPath);
  const putOff = new Map<string, number>();
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const stopping = new AbortController();
  let behind = 0;
  let unstored = 0;
  let pauseMs = everyMs;
  let failure: string | undefined;
  const running = run();
  return {
    failure: () => failure,
    async close() {
      stopping.abort();
      await running;
    },
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const caughtUp = await look().then(
        (isDone) => {
          failure = undefined;
          return isDone;
        },
        (error: unknown) => {
          failure = reasonOf(error);
          warn('tail', 'cannot ingest lines from files, trying again', { reason: failure, dir });
          return true;
        },
      );
      await sleep(caughtUp ? pauseMs : 0, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** Returns whether there was time for all. */
  async function look(): Promise<boolean> {
    const began = performance.now();
    const files = await listTailed(dir, now()).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      makeFolder();
      warn('spill folder removed', 'the spill folder was removed, and is made again', { dir });
      return [];
    });
    pauseMs = Math.max(everyMs, (SHARE_OF_LOOKING - 1) * (performance.now() - began));
    forgetAllBut(files);
    behind = files.reduce((sum, file) => sum + Math.max(0, file.bytes - atIn(file)), 0);
    count.set(files.length);
    waiting.set(behind);
    await limit?.(files.reduce((sum, { bytes }) => sum + bytes, 0));
    try {
      return await followAll(files.filter(isDue), began + ROUND_MS);
    } finally {
      await store();
    }
  }

  async function followAll(files: TailedFile[], deadline: number): Promise<boolean> {
    const isCold = ({ cold }: TailedFile) => cold;
    for (const file of [...files.filter((file) => !isCold(file)), ...files.filter(isCold)]) {
      if (stopping.signal.aborted || (file.cold && performance.now() > deadline)) return false;
      try {
        await follow(file, deadline);
      } catch (error) {
        if (error instanceof RoundError) throw error.cause;
        putOff.set(file.path, performance.now() + PUT_OFF_MS);
        warn('tail file', 'cannot read or remove a file, leaving it for later', {
          reason: reasonOf(error),
          path: file.path,
        });
      }
    }
    return performance.now() <= deadline;
  }

  async function follow(file: TailedFile, deadline: number): Promise<void> {
    if (!file.cold && file.bytes === atIn(file)) return;
    const reader = await openLines(file.path, offsets.get(file.inode), buffer);
    let ended = false;
    try {
      do {
        const lines = await reader.read(file.cold);
        ended = lines.length === 0;
        if (ended) break;
        await takeIn(lines, file.source).catch(endRound);
        offsets.set(file.inode, await reader.offset());
        await account(lines.length);
      } while (!stopping.signal.aborted && performance.now() < deadline);
    } finally {
      await reader.close();
    }
    if (file.cold && ended) await unlink(file.path);
  }

  async function account(bytes: number): Promise<void> {
    behind = Math.max(0, behind - bytes);
    waiting.set(behind);
    unstored += bytes;
    if (unstored >= STORE_BYTES) await store();
  }

  /** Where that fails, a disk that is full for one, files go on being read and removed: that makes room. */
  async function store(): Promise<void> {
    unstored = 0;
    await offsets.store().catch((error: unknown) =>
      warn('tail offsets', 'cannot store how far files were read; after a restart lines are read again', {
        reason: reasonOf(error),
        path: options.offsetsPath,
      }),
    );
  }

  function forgetAllBut(files: TailedFile[]): void {
    offsets.retain(new Set(files.map(({ inode }) => inode)));
    if (putOff.size === 0) return;
    const paths = new Set(files.map(({ path }) => path));
    for (const path of putOff.keys()) if (!paths.has(path)) putOff.delete(path);
  }

  function atIn({ inode }: TailedFile): number {
    return offsets.get(inode)?.at ?? 0;
  }

  function isDue({ path }: TailedFile): boolean {
    const until = putOff.get(path);
    if (until === undefined) return true;
    if (performance.now() < until) return false;
    putOff.delete(path);
    return true;
  }
}

/** Not the file's fault: the others would fare no better. */
class RoundError extends Error {}

function endRound(cause: unknown): never {
  throw new RoundError('the round ends', { cause });
}
