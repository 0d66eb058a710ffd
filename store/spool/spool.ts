/*
 * The spool: a queue on disk, for one process
 *
 * Every event that nginx was answered 204 for lies here until each consumer (the forwarder to Kafka, or the embedded
 * sink) is done with it.
 *
 * Goals
 * - What `appendLines` resolved for survives kill -9 of this process at any moment, and a power cut as far as `fsync` says.
 * - The cost of an event does not depend on how many wait, nor does the time that opening takes.
 * - Damage costs the damaged records, is counted, and stops nothing.
 *
 * On disk
 *   id                         `hotitem-spool 1 ID`: the format, and 32 hex digits made with the folder
 *   lock.PID.RANDOM            the socket of the process that has the folder (lock.ts)
 *   00000000000000000000.log   a segment, named by the sequence of its first event in 20 digits
 *   end                        where the acknowledged events end, as a cursor
 *   cursors/NAME               where a consumer has come to: two slots of text (cursor.ts);
 *                              NAME.released while it is not configured
 *   quarantine/SEGMENT.OFFSET  bytes that were no record, for people; 32 MiB at most
 *
 * A segment is a row of records, nothing between them. A record is what was written in one go, numbers big-endian:
 *
 *   byte  bytes
 *      0      4  magic ff 48 53 50; ff occurs nowhere in UTF-8, so no event can look like a record
 *      4      4  crc32 of everything from byte 8 to the end of the record
 *      8      2  version of the format, 1. Magic, crc, version and length stay where they are in every version
 *     10      6  when it was received, ms since 1970
 *     16      8  sequence of the first event
 *     24      4  count of events, at least 1
 *     28      4  length of what follows, at most 1 MiB
 *     32         the events: JSON in UTF-8, each ended by a newline
 *
 * Writing. An idle spool writes at once; what is appended during a write forms the next one: groups without a timer.
 * A group is one write() into one segment: one record, or several where it is larger than 1 MiB. A segment is rolled
 * before a group that would make it larger than `segmentBytes`. A write that fails is cut off again and all its appends
 * are rejected; nothing is written before that has worked.
 *
 * Reading. Readers know the acknowledged end from the writer, in memory, and never look beyond; nothing polls. A segment that
 * is shorter is damaged from its end on. Where there is no record they search for the next magic with a right crc, keep a copy of what they passed, and report it as
 * `corrupt`. Sequences that are missing, for this or any other reason, are reported as a `gap`.
 *
 * Invariants
 * - Sequences only grow and are never given twice: a cursor that lies beyond the last event (segments restored from an
 *   older copy, or cut by a power failure after they were read) moves the numbering, not itself.
 * - An event is acknowledged when its record is wholly written, and with `always` fsynced; only then is it delivered.
 * - Only the last segment is written to, by the one process that holds the lock.
 * - The acknowledged end is stored at most 200 ms later, and when the spool is closed. Where the segments end before it, as after
 *   somebody truncated one or a power failure took what was not fsynced, the numbering goes on behind it: what lies between
 *   is a gap, and counted as lost.
 * - A cursor is stored after its batch was taken, at most 200 ms later and when the spool is closed; a crash delivers
 *   those batches again. Events have ids, so that does no harm.
 * - A segment is removed only when the stored cursors of all configured consumers have passed it. A consumer that is new
 *   begins with the oldest event that is there; one that is not configured keeps its cursor and holds nothing back.
 * - A passed segment is retained while it is within `retainBytes` or younger than `retainMs`, for `readSpool`
 *   (history.ts), which needs no lock. It is given up early when an append would otherwise be refused.
 *
 * Opening reads the last segment only. Behind its last intact record, an incomplete one is what a crash cut off: removed
 * and counted as `torn`. Anything else there is copied to the quarantine first. An intact record of a newer version, or a
 * newer `id`, refuses to open.
 *
 * What it does not do: several writing processes, replication, compression, encryption, random access, repair. It does
 * not notice a whole record exchanged for an older copy of itself, nor the loss of what was acknowledged in the last 200 ms before a
 * crash.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../service/log.ts';
import type { EventLog } from '../event-log.ts';
import { type Consumers, createConsumers, openCursors, passedByAll } from './consumers.ts';
import { openEnd } from './end.ts';
import { SpoolError } from './error.ts';
import { createFaults, type FaultCounts, type Faults, type SpoolFault } from './faults.ts';
import { type Fsync, type SegmentFiles, segmentFiles } from './file.ts';
import { type Lines, toLines } from './group.ts';
import { readOrMakeId } from './id.ts';
import { lockFolder } from './lock.ts';
import { openQuarantine } from './quarantine.ts';
import { recoverSegments } from './recovery.ts';
import { createRetention, type Retention } from './retention.ts';
import { createSegments, type Segments } from './segments.ts';
import { openWriter, type Writer } from './writer.ts';

export type SpoolOptions = {
  /** Made if it is not there. */
  dir: string;
  /** Of all segments; an append beyond is refused. */
  maxBytes: number;
  /** Of one segment, 64 MiB by default; at most a quarter of `maxBytes`. */
  segmentBytes?: number | undefined;
  /** When events are forced to the disk: before they are acknowledged, every second, or when the kernel likes. */
  fsync: Fsync;
  /** The consumers of this configuration. A segment may be removed when all of them have passed it. */
  cursors: string[];
  /** Bytes of segments that all have passed and that are kept for a replay, as far as `maxBytes` allows; 0 by default. */
  retainBytes?: number | undefined;
  /** How long such a segment is kept, ms; 0 by default. One goes when it is beyond both. */
  retainMs?: number | undefined;
  /** Most events in a batch, 1,000 by default. */
  maxBatchEvents?: number | undefined;
  /** Most bytes in a batch, 512 KiB by default. */
  maxBatchBytes?: number | undefined;
  /** How long a batch may wait to be filled, ms; 0 by default. */
  lingerMs?: number | undefined;
  now?: (() => number) | undefined;
  /** For tests on a disk that fails. */
  files?: SegmentFiles | undefined;
  onFault?: ((fault: SpoolFault) => void) | undefined;
};

export type Spool = EventLog & {
  /** Resolves with the sequence of the first event (each a JSON text) once all are kept; rejects with a `SpoolError`, and then none counts. */
  appendLines(texts: string[]): Promise<number>;
  /** The same for events that are encoded already. */
  appendEncoded(lines: Lines): Promise<number>;
  /** How much of `maxBytes` is taken by what consumers have still to get, 0 to 1. */
  fill(): number;
  stats(): SpoolStats;
  /** Stops the consumers, finishes pending writes, fsyncs, stores the cursors, and lets another process in. */
  close(): Promise<void>;
};

export type SpoolStats = FaultCounts & {
  /** Made with the folder: with it, a sequence names an event for ever. */
  id: string;
  firstSequence: number;
  nextSequence: number;
  bytes: number;
  /** Of these, in segments that every consumer has passed: they give way to what is appended. */
  retainedBytes: number;
  segments: number;
  cursors: Record<string, { sequence: number; behind: number }>;
  /** Why the last append was refused; undefined once one is taken again. */
  refusal: string | undefined;
};

const SEGMENT_BYTES = 64 * 1024 * 1024;
const BATCH_EVENTS = 1000;
const BATCH_BYTES = 512 * 1024;
const SWEEP_MS = 60_000;

/** Opens the spool in `dir`. Rejects with a `SpoolError` when another process has it, or it cannot be read or written. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { dir } = options;
  try {
    await mkdir(join(dir, 'cursors'), { recursive: true, mode: 0o750 });
    const lock = await lockFolder(dir);
    try {
      return await openLocked(options, lock.release);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof SpoolError) throw error;
    throw new SpoolError('SPOOL_OPEN', `cannot open the spool ${dir}`, error);
  }
}

async function openLocked(options: SpoolOptions, release: () => Promise<void>): Promise<Spool> {
  const { dir, maxBytes, fsync, retainMs = 0, now = Date.now, onFault = () => {} } = options;
  const faults = createFaults(onFault);
  const id = await readOrMakeId(join(dir, 'id'));
  const quarantine = await openQuarantine(join(dir, 'quarantine'));
  const { found, nextSequence: end } = await recoverSegments({ dir, faults, quarantine });
  const cursors = await openCursors({
    dir: join(dir, 'cursors'),
    names: options.cursors,
    oldest: found[0]?.first ?? end,
    end,
    faults,
  });
  const last = { sequence: end, segment: found.at(-1)?.first ?? end, offset: found.at(-1)?.bytes ?? 0 };
  const acknowledged = await openEnd(join(dir, 'end'), last, faults);
  const positions = [...cursors.values()].map(({ position }) => position.sequence);
  const nextSequence = Math.max(end, acknowledged.sequence ?? 0, ...positions);
  const segments = createSegments({
    dir,
    found,
    nextSequence,
    onDeleteFailure: ({ first }, error) =>
      faults.report({ kind: 'delete', segment: first, reason: reasonOf(error) }),
  });
  if (found.length === 0 || nextSequence > end) segments.begin();
  const retention = createRetention({
    segments,
    passed: () => passedByAll(cursors),
    retainBytes: options.retainBytes ?? 0,
    retainMs,
    maxBytes,
    now,
  });
  const writer = await openWriter({
    segments,
    files: options.files ?? segmentFiles,
    maxBytes,
    makeRoom: retention.makeRoom,
    segmentBytes: Math.min(options.segmentBytes ?? SEGMENT_BYTES, Math.floor(maxBytes / 4)),
    fsync,
    now,
    onFsyncFailure: (error) => faults.report({ kind: 'fsync', reason: reasonOf(error) }),
    onAcknowledged() {
      const { nextSequence: sequence, active } = segments;
      acknowledged.advance({ sequence, segment: active.first, offset: active.bytes });
    },
  });
  const consumers = createConsumers({
    cursors,
    segments,
    faults,
    quarantine,
    onPassed: retention.sweep,
    maxEvents: options.maxBatchEvents ?? BATCH_EVENTS,
    maxBytes: options.maxBatchBytes ?? BATCH_BYTES,
    lingerMs: options.lingerMs ?? 0,
  });
  // Time passes for what is retained also while nothing moves.
  const sweeping = retainMs > 0 ? setInterval(retention.sweep, SWEEP_MS).unref() : undefined;
  return createSpool({ id, maxBytes, segments, retention, writer, consumers, faults, close });

  async function close(): Promise<void> {
    clearInterval(sweeping);
    await consumers.close({ fsync: fsync !== 'never' });
    await writer.close();
    await acknowledged.close({ fsync: fsync !== 'never' });
    await release();
  }
}

type Parts = {
  id: string;
  maxBytes: number;
  segments: Segments;
  retention: Retention;
  writer: Writer;
  consumers: Consumers;
  faults: Faults;
  close: () => Promise<void>;
};

function createSpool({ id, maxBytes, segments, retention, writer, consumers, faults, close }: Parts): Spool {
  let closing: Promise<void> | undefined;
  return {
    async appendLines(texts) {
      return writer.append(toLines(texts));
    },
    appendEncoded: (lines) => writer.append(lines),
    fill,
    async append({ values }) {
      await writer.append(toLines(values.map((value) => value.toString('utf8'))));
    },
    async consume(name, handle) {
      if (closing !== undefined) throw new SpoolError('SPOOL_CLOSED', 'the spool is closed');
      return consumers.start(name, handle);
    },
    stats,
    close() {
      closing ??= close();
      return closing;
    },
  };

  function fill(): number {
    return (segments.bytes - retention.bytes()) / maxBytes;
  }

  function stats(): SpoolStats {
    const { nextSequence, bytes, count, oldest } = segments;
    const cursors = consumers
      .positions()
      .map(([name, { sequence }]) => [name, { sequence, behind: nextSequence - sequence }]);
    return {
      id,
      firstSequence: oldest.first,
      nextSequence,
      bytes,
      retainedBytes: retention.bytes(),
      segments: count,
      ...faults.counts,
      cursors: Object.fromEntries(cursors),
      refusal: writer.refusal()?.message,
    };
  }
}
