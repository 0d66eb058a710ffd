import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export type Segment = {
  /** Sequence of its first event, and its name. */
  first: number;
  /** Bytes that hold acknowledged records; what may lie beyond does not count. */
  bytes: number;
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
  path(segment: Segment): string;
  /** The segment that holds `sequence`, or would: the last that begins at or before it, else the oldest. */
  holding(sequence: number): Segment;
  /** What of `segment` may be read now. */
  readable(segment: Segment): Readable;
  /** A new active segment, empty. */
  begin(): Segment;
  /** `bytes` with `count` events were acknowledged. Wakes who waits. */
  grow(bytes: number, count: number): void;
  /** Resolves when there is something after `sequence`, or when `signal` fires. */
  waitBeyond(sequence: number, signal: AbortSignal): Promise<void>;
  /** Removes the segments whose events all lie before `sequence`, but for the active one. */
  removeBefore(sequence: number): Promise<void>;
};

const NAME = /^(\d{20})\.log$/;

export function segmentName(first: number): string {
  return `${String(first).padStart(20, '0')}.log`;
}

/** The segments that lie in `dir`, oldest first. Other files are not touched. */
export async function listSegments(dir: string): Promise<Segment[]> {
  const names = (await readdir(dir)).filter((name) => NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      first: Number.parseInt(name, 10),
      bytes: (await stat(join(dir, name))).size,
    })),
  );
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
    removeBefore,
  };

  function at(i: number): Segment {
    const segment = segments[i];
    if (segment === undefined) throw new RangeError(`the spool has no segment ${i}`);
    return segment;
  }

  function path({ first }: Segment): string {
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
    const segment = { first: nextSequence, bytes: 0 };
    segments.push(segment);
    return segment;
  }

  function grow(more: number, count: number): void {
    at(segments.length - 1).bytes += more;
    bytes += more;
    nextSequence += count;
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

  async function removeBefore(sequence: number): Promise<void> {
    while ((segments[1]?.first ?? Number.POSITIVE_INFINITY) <= sequence) {
      const segment = at(0);
      segments.shift();
      bytes -= segment.bytes;
      // One that cannot be removed is found, and removed, at the next start.
      await unlink(path(segment)).catch((error: unknown) => onDeleteFailure(segment, error));
    }
  }
}
