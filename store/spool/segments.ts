import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export type Segment = {
  /** Sequence of its first event, and its name. */
  first: number;
  /** Bytes that hold acknowledged records; what may lie beyond does not count. */
  bytes: number;
  /** When its last record was written, ms since 1970. */
  written: number;
};

/** How far a segment may be read now. */
export type Readable = {
  /** Readers stop at this byte… */
  limit: number;
  /** …after which comes the event with this sequence, here or in the next segment. */
  nextSequence: number;
  /** Undefined for the segment that is being written. */
  next: Segment | undefined;
};

/** What the writer and its readers both know: the segments, in order, and where they end. */
export type Segments = {
  readonly nextSequence: number;
  readonly bytes: number;
  readonly count: number;
  readonly oldest: Segment;
  /** The one that is being written. */
  readonly active: Segment;
  path(segment: Pick<Segment, 'first'>): string;
  /** The segment that holds `sequence`, or would: the last that begins at or before it, else the oldest. */
  holding(sequence: number): Segment;
  /** What of `segment` may be read now. */
  readable(segment: Segment): Readable;
  /** A new active segment, empty. */
  begin(): Segment;
  /** `bytes` with `count` events were acknowledged, received at `received`. Wakes who waits. */
  grow(added: { bytes: number; count: number; received: number }): void;
  /** Resolves when there is something after `sequence`, or when `signal` fires. */
  waitBeyond(sequence: number, signal: AbortSignal): Promise<void>;
  /** The segments whose events all lie before `sequence`, oldest first; never the active one. */
  before(sequence: number): Segment[];
  /** They are counted as gone at once. Resolves when they are removed; never rejects. */
  removeOldest(count: number): Promise<void>;
};

const NAME = /^(\d{20})\.log$/;

export function segmentName(first: number): string {
  return `${String(first).padStart(20, '0')}.log`;
}

/** The segments that lie in `dir`, oldest first; one that its owner removes meanwhile is none. Other files are not touched. */
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
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
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
      // One that cannot be removed is found, and removed, at the next start.
      await unlink(path(segment)).catch((error: unknown) => onDeleteFailure(segment, error));
    }
  }
}
