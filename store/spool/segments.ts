import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../service/error-code.ts';

export type Segment = {
  /** Sequence of its first event, which is also its name. */
  first: number;
  /** Bytes of acknowledged records; anything after them does not count. */
  bytes: number;
  /** When its last record was written, ms since 1970. */
  written: number;
};

/** How far a segment may be read now. */
export type Readable = {
  /** Readers stop at this byte… */
  limit: number;
  /** …and continue with the event of this sequence, here or in the next segment. */
  nextSequence: number;
  /** Undefined for the active segment. */
  next: Segment | undefined;
};

/** Shared by the writer and its readers: the segments in order, and their ends. */
export type Segments = {
  readonly nextSequence: number;
  readonly bytes: number;
  readonly count: number;
  readonly oldest: Segment;
  /** The segment that is being written. */
  readonly active: Segment;
  path(segment: Pick<Segment, 'first'>): string;
  /** The segment that contains or would contain `sequence`: the last that begins at or before it, otherwise the oldest. */
  holding(sequence: number): Segment;
  /** How far `segment` may be read now. */
  readable(segment: Segment): Readable;
  /** Begins a new, empty active segment. */
  begin(): Segment;
  /** `bytes` with `count` events were acknowledged, received at `received`. Wakes waiting readers. */
  grow(added: { bytes: number; count: number; received: number }): void;
  /** Resolves when there are events after `sequence`, or when `signal` is aborted. */
  waitBeyond(sequence: number, signal: AbortSignal): Promise<void>;
  /** The segments whose events are all before `sequence`, oldest first; never the active one. */
  before(sequence: number): Segment[];
  /** Counts segments as removed at once. Resolves when their files are removed; never rejects. */
  removeOldest(count: number): Promise<void>;
};

const NAME = /^(\d{20})\.log$/;

export function segmentName(first: number): string {
  return `${String(first).padStart(20, '0')}.log`;
}

/** The segments in `dir`, oldest first; one that is removed meanwhile is left out. Other files are ignored. */
export async function listSegments(dir: string): Promise<Segment[]> {
  const names = (await readdir(dir)).filter((name) => NAME.test(name)).sort();
  const found = await Promise.all(names.map((name) => segmentAt(dir, name)));
  return found.filter((segment) => segment !== undefined);
}

async function segmentAt(dir: string, name: string): Promise<Segment | undefined> {
  try {
    const { size, mtimeMs } = await stat(join(dir, name));
    return { first: Number.parseInt(name, 10), bytes: size, written: mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export type SegmentsOptions = {
  dir: string;
  /** At least one; the last is the active one. */
  found: Segment[];
  nextSequence: number;
  onDeleteFailure: (segment: Segment, error: unknown) => void;
};

export function createSegments({ dir, found, nextSequence, onDeleteFailure }: SegmentsOptions): Segments {
  const segments = [...found];
  const sleepers = new Set<() => void>();
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);

  return {
    get nextSequence() {
      return nextSequence;
    },
    get bytes() {
      return bytes;
    },
    get count() {
      return segments.length;
    },
    get oldest() {
      return at(0);
    },
    get active() {
      return at(segments.length - 1);
    },
    path,
    holding,
    readable,
    begin,
    grow,
    waitBeyond,
    before,
    removeOldest,
  };

  function at(i: number): Segment {
    const segment = segments[i];
    if (segment === undefined) throw new RangeError(`the spool has no segment ${i}`);
    return segment;
  }

  function path({ first }: Pick<Segment, 'first'>): string {
    return join(dir, segmentName(first));
  }

  function holding(sequence: number): Segment {
    return segments.findLast(({ first }) => first <= sequence) ?? at(0);
  }

  function readable(segment: Segment): Readable {
    const next = segments[segments.lastIndexOf(segment) + 1];
    return { limit: segment.bytes, nextSequence: next?.first ?? nextSequence, next };
  }

  function begin(): Segment {
    const segment = { first: nextSequence, bytes: 0, written: 0 };
    segments.push(segment);
    return segment;
  }

  function grow(added: { bytes: number; count: number; received: number }): void {
    const active = at(segments.length - 1);
    active.bytes += added.bytes;
    active.written = added.received;
    bytes += added.bytes;
    nextSequence += added.count;
    for (const wake of sleepers) wake();
  }

  function waitBeyond(sequence: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        sleepers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      sleepers.add(wake);
      signal.addEventListener('abort', wake);
      if (nextSequence > sequence || signal.aborted) wake();
    });
  }

  function before(sequence: number): Segment[] {
    const beyond = segments.findIndex(
      (_, i) => (segments[i + 1]?.first ?? Number.POSITIVE_INFINITY) > sequence,
    );
    return segments.slice(0, beyond);
  }

  async function removeOldest(count: number): Promise<void> {
    const removed = segments.splice(0, count);
    for (const segment of removed) bytes -= segment.bytes;
    for (const segment of removed) {
      // If a file cannot be removed, the next start finds and removes it.
      await unlink(path(segment)).catch((error: unknown) => onDeleteFailure(segment, error));
    }
  }
}
