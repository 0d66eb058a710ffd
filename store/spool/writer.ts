import { SpoolError } from './error.ts';
import type { Fsync, SegmentFiles } from './file.ts';
import { HEADER_BYTES } from './format.ts';
import { encodeGroup, type Lines, toPieces } from './group.ts';
import type { Segment, Segments } from './segments.ts';

export type WriterOptions = {
  segments: Segments;
  files: SegmentFiles;
  maxBytes: number;
  /** Called to make room for this many bytes before an append is rejected. */
  makeRoom: (bytes: number) => void;
  segmentBytes: number;
  fsync: Fsync;
  now: () => number;
  onFsyncFailure: (error: unknown) => void;
  /** Called when events were acknowledged. */
  onAcknowledged: () => void;
};

export type Writer = {
  /** Resolves with the sequence of the first event once all are stored. Rejects with a SpoolError, and then stores none of them. */
  append(lines: Lines): Promise<number>;
  /** Why the last append was rejected; undefined once one succeeds. */
  refusal(): SpoolError | undefined;
  /** Writes what is pending, fsyncs, and accepts nothing more. */
  close(): Promise<void>;
};

/** One call of `append`. */
type Waiting = {
  pieces: Lines[];
  bytes: number;
  count: number;
  resolve: (sequence: number) => void;
  reject: (error: SpoolError) => void;
};

/** Maximum bytes in one write, unless a single call has more; further calls wait for the next write. */
const MAX_GROUP_BYTES = 8 * 1024 * 1024;
/** Size of the reused write buffer; a larger write has a buffer of its own. */
const SCRATCH_BYTES = 1024 * 1024;
/** Maximum bytes in memory, in case the disk hangs. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** Appends to the active segment. An idle writer writes at once; calls during a write form the next group. */
export async function openWriter(options: WriterOptions): Promise<Writer> {
  const { segments, files, maxBytes, makeRoom, segmentBytes, fsync, now, onFsyncFailure, onAcknowledged } =
    options;
  let file = await (segments.active.bytes === 0 ? files.create : files.open)(fileOptions());
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  const waiting: Waiting[] = [];
  /** Bytes of appends that have not settled. */
  let pendingBytes = 0;
  let draining: Promise<void> | undefined;
  /** Whether a failed write may have left bytes after the last acknowledged record. */
  let littered = false;
  let sealing: Promise<unknown> = Promise.resolve();
  let closed = false;
  let refusal: SpoolError | undefined;
  return { append, refusal: () => refusal, close };

  async function append(lines: Lines): Promise<number> {
    if (closed) throw new SpoolError('SPOOL_CLOSED', 'the spool is closed');
    if (lines.count === 0) return segments.nextSequence;
    const pieces = toPieces(lines);
    const bytes = lines.bytes.length + HEADER_BYTES * pieces.length;
    reserve(bytes);
    return new Promise((resolve, reject) => {
      waiting.push({ pieces, bytes, count: lines.count, resolve, reject });
      draining ??= drain();
    });
  }

  function reserve(bytes: number): void {
    makeRoom(pendingBytes + bytes);
    if (segments.bytes + pendingBytes + bytes > maxBytes) {
      throw refuse(new SpoolError('SPOOL_FULL', `the spool holds ${segments.bytes} of ${maxBytes} bytes`));
    }
    if (pendingBytes > 0 && pendingBytes + bytes > MAX_PENDING_BYTES) {
      throw refuse(new SpoolError('SPOOL_FULL', `${pendingBytes} bytes wait for the disk`));
    }
    pendingBytes += bytes;
  }

  function refuse(error: SpoolError): SpoolError {
    refusal = error;
    return error;
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      await commit(takeGroup());
      // A full segment can then be removed, and the spool gets room, without a further write. If this fails, the next write reports it.
      if (segments.active.bytes >= segmentBytes) await roll().catch(() => {});
    }
    draining = undefined;
  }

  function takeGroup(): Waiting[] {
    let bytes = 0;
    const end = waiting.findIndex((one, i) => {
      bytes += one.bytes;
      return i > 0 && bytes > MAX_GROUP_BYTES;
    });
    return waiting.splice(0, end === -1 ? waiting.length : end);
  }

  async function commit(group: Waiting[]): Promise<void> {
    let sequence = segments.nextSequence;
    try {
      const received = now();
      const records = encodeGroup(
        group.flatMap(({ pieces }) => pieces),
        { sequence, received },
        scratch,
      );
      await write(records);
      segments.grow({ bytes: records.length, count: countOf(group), received });
      onAcknowledged();
    } catch (cause) {
      const error = refuse(new SpoolError('SPOOL_WRITE', 'cannot write to the spool', cause));
      for (const one of group) one.reject(error);
      return;
    } finally {
      for (const { bytes } of group) pendingBytes -= bytes;
    }
    refusal = undefined;
    for (const { count, resolve } of group) {
      resolve(sequence);
      sequence += count;
    }
  }

  /** A group is in one segment, so that it can be rolled back as a whole. */
  async function write(records: Buffer): Promise<void> {
    if (littered) await cleanUp();
    const { bytes } = segments.active;
    if (bytes > 0 && bytes + records.length > segmentBytes) await roll();
    littered = true;
    try {
      await file.write(records, segments.active.bytes);
      littered = false;
    } catch (error) {
      // As soon as possible: a start after a crash would count complete records as acknowledged.
      await cleanUp().catch(() => {});
      throw error;
    }
  }

  async function cleanUp(): Promise<void> {
    await file.truncate(segments.active.bytes);
    littered = false;
  }

  async function roll(): Promise<void> {
    const sealed = file;
    const { nextSequence: first } = segments;
    file = await files.create(fileOptions({ first }));
    segments.begin();
    sealing = sealing.then(() => sealed.close()).catch(onFsyncFailure);
  }

  function fileOptions(segment: Pick<Segment, 'first'> = segments.active) {
    return { path: segments.path(segment), fsync, onFsyncFailure };
  }

  async function close(): Promise<void> {
    closed = true;
    await draining;
    await sealing;
    await file.close();
  }
}

function countOf(group: Waiting[]): number {
  return group.reduce((sum, { count }) => sum + count, 0);
}
