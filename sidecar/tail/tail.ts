import { unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../service/error-code.ts';
import { reasonOf } from '../../service/log.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { TakeIn, Taken } from '../ingest/take-in.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { type LineReader, openLines } from './file.ts';
import { type Listing, listTailed, noneOdd, ODDITIES, type TailedFile } from './folder.ts';
import { loadOffsets } from './offsets.ts';
import type { SpillLimit } from './spill-limit.ts';
import { createTornEnds } from './torn-ends.ts';
import { createTurns, type TurnOutcome } from './turns.ts';

export type TailOptions = {
  /** The folder in which nginx writes a file per minute. */
  dir: string;
  /** Creates it again after it was removed: until then nginx cannot write. */
  makeFolder: () => void;
  /** File that stores how far each file has been ingested. */
  offsetsPath: string;
  takeIn: TakeIn;
  /** Counts lines that are no views: what nginx did with requests for hot items. Without it they are skipped. */
  sawShoppers?: ((lines: Buffer) => Taken) | undefined;
  /** Called with the folder's size after each listing. */
  limit?: SpillLimit;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** Interval between listings, ms. */
  everyMs?: number;
  /** How long a file with an incomplete last line must not grow until the line counts as torn, ms. */
  tornAfterMs?: number;
};

export type Tail = {
  /** Why it cannot ingest from the folder; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
};

/** Some 1,500 lines: the sidecar answers nginx in between. */
const CHUNK_BYTES = 256 * 1024;
/** From this many bytes per event on, a file is junk: nginx's lines have some 200. */
const JUNK_FROM_BYTES = 4096;
/** Allows for a torn line or two. */
const MOST_TORN_BYTES = 64 * 1024;
/** The most that is read again after a kill of the sidecar. */
const STORE_BYTES = 4 * 1024 * 1024;
/** A folder that takes long to list is listed less often. */
const SHARE_OF_LOOKING = 5;

/**
 * Ingests the files that nginx writes, spills and the `log` transport: every complete line of every file, also while it grows. The position
 * is stored after the spool has the lines, so a crash in between reads some lines twice; they have the same ids. A file is removed once it
 * is ingested and three minutes have passed since its last write.
 *
 * The folder belongs to nginx's workers, so it may contain anything. Odd entries are skipped (folder.ts), and no file makes the others wait
 * (turns.ts): neither one that cannot be read, nor one without end.
 */
export async function startTail(options: TailOptions): Promise<Tail> {
  const { dir, makeFolder, takeIn, sawShoppers, limit, metrics, warn, now, everyMs = 200 } = options;
  const count = metrics.of('spill_files');
  const waiting = metrics.of('spill_waiting_bytes');
  const odd = ODDITIES.map((reason) => ({ reason, gauge: metrics.of('spill_odd', { reason }) }));
  const offsets = await loadOffsets(options.offsetsPath);
  const tornEnds = createTornEnds(options.tornAfterMs);
  const turns = createTurns({ follow: followOrRemove, onFailure, isStopping: () => stopping.signal.aborted });
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
          warn('tail', 'cannot ingest lines from files, retrying', { reason: failure, dir });
          return true;
        },
      );
      await sleep(caughtUp ? pauseMs : 0, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** Returns whether there was time for all files but junk. */
  async function look(): Promise<boolean> {
    const began = performance.now();
    const { files, isWhole, odd: counts } = await listing();
    pauseMs = Math.max(everyMs, (SHARE_OF_LOOKING - 1) * (performance.now() - began));
    if (isWhole) forgetAllBut(files);
    const unread = files.filter((file) => file.bytes > atIn(file));
    const unreadable = unread.filter(turns.isPutOff);
    const junk = unread.filter((file) => turns.isJunk(file) && !turns.isPutOff(file));
    behind = sizeOf(unread.filter(isWaiting));
    const all = { ...counts, unreadable: unreadable.length, junk: junk.length };
    for (const { reason, gauge } of odd) gauge.set(all[reason]);
    count.set(files.length);
    waiting.set(behind);
    // Counts of requests must not cost views. Their files are gone after three minutes, read or not.
    const views = files.filter(({ source }) => source !== 'shared');
    await limit?.(views.reduce((sum, { diskBytes }) => sum + diskBytes, 0));
    try {
      return await turns.round(files);
    } finally {
      await store();
    }
  }

  async function listing(): Promise<Listing> {
    try {
      const listed = await listTailed(dir, now());
      tellOdd(listed);
      return listed;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      makeFolder();
      warn('spill folder removed', 'the spill folder was removed, creating it again', { dir });
      return { files: [], isWhole: true, odd: noneOdd() };
    }
  }

  function tellOdd({ odd: counts, example }: Listing): void {
    if (example === undefined) return;
    const what =
      'the spill folder contains entries that nginx did not write: they are not read, and stay until somebody removes them';
    warn('spill odd', what, { dir, ...example, counts });
  }

  function onFailure({ path }: TailedFile, error: unknown): void {
    if (error instanceof RoundError) throw error.cause;
    const reason = reasonOf(error);
    warn('tail file', 'cannot read or remove a file, retrying later', { reason, path });
  }

  async function followOrRemove(file: TailedFile, mostBytes: number): Promise<TurnOutcome> {
    try {
      return await follow(file, mostBytes);
    } catch (error) {
      if (file.source === 'shared' && file.cold) await remove(file);
      throw error;
    }
  }

  async function follow(file: TailedFile, mostBytes: number): Promise<TurnOutcome> {
    if (!file.cold && file.bytes === atIn(file)) return 'done';
    const reader = await openLines(file, offsets.get(file.inode), buffer);
    let outcome: TurnOutcome = 'more';
    try {
      for (let bytes = 0; outcome === 'more' && bytes < mostBytes && !stopping.signal.aborted; ) {
        const lines = await nextLines(file, reader);
        outcome = lines.length === 0 ? 'done' : await ingest(lines, file, reader);
        bytes += lines.length;
      }
    } finally {
      await reader.close();
    }
    if (file.cold && outcome === 'done') await remove(file);
    return outcome;
  }

  async function remove({ path, inode }: TailedFile): Promise<void> {
    await unlink(path);
    // The inode may be another file's soon: those of shared lines often begin the same.
    offsets.set(inode, { at: 0, head: 0 });
  }

  async function nextLines(file: TailedFile, reader: LineReader): Promise<Buffer> {
    const lines = await reader.read(file.cold);
    if (lines.length > 0 || file.bytes <= reader.at()) return lines;
    return reader.read(tornEnds.isTorn(file.inode, reader.at()));
  }

  async function ingest(lines: Buffer, file: TailedFile, reader: LineReader): Promise<TurnOutcome> {
    const taken = await take(lines, file);
    offsets.set(file.inode, await reader.offset());
    await account(file, lines.length);
    const most = MOST_TORN_BYTES + (taken.lines - taken.bad) * JUNK_FROM_BYTES;
    return lines.length > most ? 'junk' : 'more';
  }

  async function take(lines: Buffer, { source }: TailedFile): Promise<Taken> {
    // Where nobody counts them, they are removed all the same, and none is junk.
    if (source === 'shared') return sawShoppers?.(lines) ?? { lines: lines.length, bad: 0 };
    return takeIn(lines, source).catch(endRound);
  }

  async function account(file: TailedFile, bytes: number): Promise<void> {
    if (file.source !== 'shared' && !turns.isJunk(file)) behind = Math.max(0, behind - bytes);
    waiting.set(behind);
    unstored += bytes;
    if (unstored >= STORE_BYTES) await store();
  }

  /** If that fails, for example on a full disk, files are still read and removed, which frees space. */
  async function store(): Promise<void> {
    unstored = 0;
    await offsets.store().catch((error: unknown) =>
      warn('tail offsets', 'cannot store how far files were read; after a restart, lines are read again', {
        reason: reasonOf(error),
        path: options.offsetsPath,
      }),
    );
  }

  function forgetAllBut(files: TailedFile[]): void {
    const inodes = new Set(files.map(({ inode }) => inode));
    offsets.retain(inodes);
    tornEnds.retain(inodes);
    turns.retain(files);
  }

  /**
   * Whether a file has lines that will be read. The accounting of nginx waits for no other files: otherwise a full disk, or a process of
   * the workers' user, could hide a loss.
   */
  function isWaiting(file: TailedFile): boolean {
    if (file.source === 'shared' || turns.isPutOff(file) || turns.isJunk(file)) return false;
    return !tornEnds.isEndless(file.inode, atIn(file));
  }

  /** Bytes of these files that are not ingested yet. */
  function sizeOf(files: TailedFile[]): number {
    return files.reduce((sum, file) => sum + file.bytes - atIn(file), 0);
  }

  function atIn({ inode }: TailedFile): number {
    return offsets.get(inode)?.at ?? 0;
  }
}

/** Not caused by this file: the others would fail as well. */
class RoundError extends Error {}

function endRound(cause: unknown): never {
  throw new RoundError('the round ends', { cause });
}
