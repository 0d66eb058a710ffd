/*
 * The spool: a queue on disk, for one process
 *
 * Each event is stored here before nginx gets its 204, and stays until every consumer (the forwarder to Kafka, or the embedded sink) has
 * handled it.
 *
 * Goals
 * - Once `appendLines` resolves, its events survive a kill -9 of this process, and a power cut as far as `fsync` promises.
 * - Neither the cost of an event nor the time to open depends on how many events are stored.
 * - Damage loses the damaged records only. It is counted, and stops nothing.
 *
 * On disk
 *   id                         `hotitem-spool 1 ID`: the format, and 32 hex digits created with the folder
 *   lock.PID.RANDOM            the socket of the process that holds the folder (lock.ts)
 *   00000000000000000000.log   a segment, named by the sequence of its first event in 20 digits
 *   end                        the end of the acknowledged events, in the format of a cursor
 *   cursors/NAME               the position of a consumer: two slots of text (cursor.ts);
 *                              NAME.released while it is not configured
 *   quarantine/SEGMENT.OFFSET  bytes that are not a record, for inspection; 32 MiB at most
 *
 * A segment is a sequence of records with nothing between them. A record is one write; numbers are big-endian:
 *
 *   byte  bytes
 *      0      4  magic ff 48 53 50; ff does not occur in UTF-8, so no event can look like a record
 *      4      4  crc32 of everything from byte 8 to the end of the record
 *      8      2  version of the format, 1. Magic, crc, version and length have the same place in every version
 *     10      6  when it was received, ms since 1970
 *     16      8  sequence of the first event
 *     24      4  count of events, at least 1
 *     28      4  length of the rest, at most 1 MiB
 *     32         the events: JSON in UTF-8, each followed by a newline
 *
 * Writing. An idle spool writes at once; appends during a write form the next group, without a timer. A group is one write() into one
 * segment: one record, or several if it is larger than 1 MiB. A new segment begins before a group that would exceed `segmentBytes`. After
 * a failed write, the segment is truncated to its previous end and all appends of the group are rejected; nothing is written before
 * the truncation has succeeded.
 *
 * Reading. Readers get the acknowledged end from the writer, in memory, and never read beyond it; nothing polls. A segment
 * that is shorter than that is damaged from its end on. Where there is no record, a reader searches for the next magic with a valid crc,
 * copies the bytes it skipped, and reports them as `corrupt`. Missing sequences, for this or any other reason, are reported as a `gap`.
 *
 * Invariants
 * - Sequences only grow and are never reused. If a cursor is beyond the last event (segments were restored from an older copy, or
 *   truncated by a power failure after they were read), numbering continues from the cursor.
 * - An event is acknowledged when its record is written completely, with `always` also fsynced. It is delivered only then.
 * - Only the last segment is written to, by the process that holds the lock.
 * - The acknowledged end is stored at most 200 ms later, and when the spool is closed. If the segments end before it (one was
 *   truncated, or a power failure lost what was not fsynced), numbering continues after it: the events between are a gap, and counted as lost.
 * - A cursor is stored at most 200 ms after its batch was handled, and when the spool is closed. After a crash, the batches since are
 *   redelivered. Events have ids, so that does no harm.
 * - A segment is removed only when the stored cursors of all configured consumers have passed it. A new consumer begins with
 *   the oldest event; one that is no longer configured keeps its cursor, but does not prevent removal.
 * - A passed segment is retained while it is within `retainBytes` or younger than `retainMs`, for `readSpool` (history.ts), which
 *   needs no lock. It is removed earlier if an append would otherwise be rejected.
 *
 * Opening reads the last segment only. An incomplete record after its last intact one was cut off by a crash: it is removed and
 * counted as `torn`. Anything else there is copied to the quarantine first. If an intact record or `id` has a newer version, opening
 * fails.
 *
 * Non-goals: several writing processes, replication, compression, encryption, random access, repair. The spool does not detect a record
 * that was replaced by an older copy of itself, nor the loss of events acknowledged in the last 200 ms before a crash.
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
  /** Created if missing. */
  dir: string;
  /** Maximum size of all segments; an append beyond it is rejected. */
  maxBytes: number;
  /** Size of one segment, 64 MiB by default; at most a quarter of `maxBytes`. */
  segmentBytes?: number | undefined;
  /** When events are fsynced: before they are acknowledged, every second, or never. */
  fsync: Fsync;
  /** The configured consumers. A segment may be removed when all of them have passed it. */
  cursors: string[];
  /** Bytes of passed segments that are retained for a replay, within `maxBytes`; 0 by default. */
  retainBytes?: number | undefined;
  /** How long such a segment is retained, ms; 0 by default. It is removed when it is beyond both. */
  retainMs?: number | undefined;
  /** Maximum number of events in a batch, 1,000 by default. */
  maxBatchEvents?: number | undefined;
  /** Maximum bytes in a batch, 512 KiB by default. */
  maxBatchBytes?: number | undefined;
  /** How long a batch may wait to be filled, ms; 0 by default. */
  lingerMs?: number | undefined;
  now?: (() => number) | undefined;
  /** For tests with a failing disk. */
  files?: SegmentFiles | undefined;
  onFault?: ((fault: SpoolFault) => void) | undefined;
};

export type Spool = EventLog & {
  /**
   * Resolves with the sequence of the first event (each a JSON text) once all are stored. Rejects with a `SpoolError`, and then stores none
   * of them.
   */
  appendLines(texts: string[]): Promise<number>;
  /** The same for events that are already encoded. */
  appendEncoded(lines: Lines): Promise<number>;
  /** The part of `maxBytes` that holds events not yet passed by all consumers, 0 to 1. */
  fill(): number;
  stats(): SpoolStats;
  /** Stops the consumers, finishes pending writes, fsyncs, stores the cursors, and releases the lock. */
  close(): Promise<void>;
};

export type SpoolStats = FaultCounts & {
  /** Created with the folder: together with it, a sequence identifies an event forever. */
  id: string;
  firstSequence: number;
  nextSequence: number;
  bytes: number;
  /** Bytes in segments that every consumer has passed: an append may remove them. */
  retainedBytes: number;
  segments: number;
  cursors: Record<string, { sequence: number; behind: number }>;
  /** Why the last append was rejected; undefined once one succeeds. */
  refusal: string | undefined;
};

const SEGMENT_BYTES = 64 * 1024 * 1024;
const BATCH_EVENTS = 1000;
const BATCH_BYTES = 512 * 1024;
const SWEEP_MS = 60_000;

/** Opens the spool in `dir`. Rejects with a `SpoolError` if another process holds it, or if it cannot be read or written. */
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
  // Retention ends by time, even if nothing else happens.
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
