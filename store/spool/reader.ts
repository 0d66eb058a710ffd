import { type FileHandle, open } from 'node:fs/promises';
import type { Position } from './cursor.ts';
import type { Faults } from './faults.ts';
import type { Quarantine } from './quarantine.ts';
import { createScanner, type Damage, type Intact, type Scanner } from './scanner.ts';
import type { Segment, Segments } from './segments.ts';

export type ReaderOptions = {
  consumer: string;
  segments: Segments;
  from: Position;
  faults: Faults;
  quarantine: Quarantine;
};

export type Limits = {
  maxEvents: number;
  /** Maximum bytes of events in a batch; a single larger event exceeds it. */
  maxBytes: number;
};

/** Consecutive events without a gap. */
export type Events = {
  /** Sequence of the first. */
  first: number;
  /** Slices of what was read; nothing is copied. */
  values: Buffer[];
};

export type Reader = {
  /** The position of the next read. */
  readonly position: Position;
  /** The next available events; undefined if there are none. */
  next(limits: Limits): Promise<Events | undefined>;
  close(): Promise<void>;
};

type Opened = { segment: Segment; file: FileHandle; scanner: Scanner };

/** A partly read record: its events from byte `at` of the payload on, the first of which is `sequence`. */
type Rest = { payload: Buffer; at: number; sequence: number; offset: number; end: number };

const NEWLINE = 0x0a;

/** Reads events in order, across records and segments, and skips what is damaged or missing. */
export function createReader({ consumer, segments, from, faults, quarantine }: ReaderOptions): Reader {
  let { sequence } = from;
  let opened: Opened | undefined;
  let rest: Rest | undefined;
  /** The start of the next record, and whether everything before it was read completely. */
  let offset = from.offset;
  let end = sequence;
  return {
    get position() {
      const segment = opened?.segment.first ?? from.segment;
      return { sequence, segment, offset: rest?.offset ?? offset };
    },
    next,
    close,
  };

  async function next(limits: Limits): Promise<Events | undefined> {
    const values: Buffer[] = [];
    let bytesLeft = limits.maxBytes;
    while (values.length < limits.maxEvents && bytesLeft > 0) {
      // If this fails while events are pending, the next call fails again, without them.
      rest ??= values.length === 0 ? await load() : await load().catch(() => undefined);
      if (rest === undefined || (values.length > 0 && rest.sequence !== sequence)) break;
      skipTo(rest.sequence);
      bytesLeft = take(rest, values, { maxEvents: limits.maxEvents, maxBytes: bytesLeft });
    }
    if (values.length > 0) return { first: sequence - values.length, values };
    skipTo(end);
    return undefined;
  }

  /** Moves events from `record` to `values`. Returns the remaining bytes, 0 if the next event is larger. */
  function take(record: Rest, values: Buffer[], { maxEvents, maxBytes }: Limits): number {
    const { payload } = record;
    let bytesLeft = maxBytes;
    while (values.length < maxEvents) {
      const newline = payload.indexOf(NEWLINE, record.at);
      if (newline === -1) {
        rest = undefined;
        break;
      }
      const length = newline - record.at;
      if (length > bytesLeft && values.length > 0) return 0;
      values.push(payload.subarray(record.at, newline));
      bytesLeft -= length;
      record.at = newline + 1;
      record.sequence++;
      sequence = record.sequence;
    }
    return bytesLeft;
  }

  function skipTo(to: number): void {
    if (to <= sequence) return;
    faults.report({ kind: 'gap', consumer, from: sequence, to });
    sequence = to;
  }

  /** The next record with unread events. Undefined at the end of what was written. */
  async function load(): Promise<Rest | undefined> {
    while (true) {
      opened ??= await openAt(from);
      const { limit, nextSequence, next: following } = segments.readable(opened.segment);
      const found = await opened.scanner.next(limit);
      if (found?.kind === 'damage') await report(found, opened);
      if (found !== undefined) offset = found.end;
      if (found?.kind === 'record') {
        const unread = toRest(found, sequence);
        if (unread !== undefined) return unread;
      }
      if (found !== undefined) continue;
      if (following === undefined) {
        end = nextSequence;
        return undefined;
      }
      await moveTo(following);
    }
  }

  async function report({ offset: at, end: until }: Damage, { segment, file }: Opened): Promise<void> {
    const kept = await quarantine({ file, segment: segment.first, offset: at, end: until });
    faults.report({ kind: 'corrupt', segment: segment.first, offset: at, bytes: until - at, kept });
  }

  async function openAt(position: Position): Promise<Opened> {
    const segment = segments.holding(position.sequence);
    const file = await open(segments.path(segment), 'r');
    const { limit } = segments.readable(segment);
    const hinted = await isRecord(file, { position, segment, limit }).catch(() => false);
    offset = hinted ? position.offset : 0;
    return { segment, file, scanner: createScanner(file, offset) };
  }

  async function moveTo(segment: Segment): Promise<void> {
    const file = await open(segments.path(segment), 'r');
    await opened?.file.close();
    offset = 0;
    opened = { segment, file, scanner: createScanner(file, offset) };
  }

  async function close(): Promise<void> {
    await opened?.file.close();
    opened = undefined;
  }
}

/** Whether the hint of a position is plausible: a record begins there, not after the position. */
async function isRecord(
  file: FileHandle,
  { position, segment, limit }: { position: Position; segment: Segment; limit: number },
): Promise<boolean> {
  if (position.segment !== segment.first || position.offset > limit) return false;
  const found = await createScanner(file, position.offset).next(limit);
  return found?.kind === 'record' && found.record.sequence <= position.sequence;
}

function toRest({ offset, end, record }: Intact, sequence: number): Rest | undefined {
  const { payload, count } = record;
  if (record.sequence + count <= sequence) return undefined;
  let at = 0;
  for (let passed = record.sequence; passed < sequence; passed++) at = payload.indexOf(NEWLINE, at) + 1;
  return { payload, at, sequence: Math.max(record.sequence, sequence), offset, end };
}
