import type { Segment, Segments } from './segments.ts';

export type RetentionOptions = {
  segments: Segments;
  /** The first event that the slowest consumer needs: everything before it may be removed. */
  passed: () => number;
  /** Keep this many bytes of passed segments for a replay… */
  retainBytes: number;
  /** …and keep each this long after its last event. A segment is removed when it is beyond both. */
  retainMs: number;
  maxBytes: number;
  now: () => number;
};

/** Removes the segments that every consumer has passed. */
export type Retention = {
  /** Bytes of retained segments, which every consumer has passed. */
  bytes(): number;
  /** Removes segments beyond the limits. */
  sweep(): Promise<void>;
  /** Removes retained segments to make room for `bytes`, oldest first: an append has priority over a replay. */
  makeRoom(bytes: number): void;
};

export function createRetention(options: RetentionOptions): Retention {
  const { segments, passed, retainBytes, retainMs, maxBytes, now } = options;
  return { bytes: () => sizeOf(kept()), sweep, makeRoom };

  function kept(): Segment[] {
    return segments.before(passed());
  }

  async function sweep(): Promise<void> {
    const found = kept();
    let bytes = sizeOf(found);
    let count = 0;
    for (const segment of found) {
      if (bytes <= retainBytes || isYoung(segment)) break;
      bytes -= segment.bytes;
      count++;
    }
    await segments.removeOldest(count);
  }

  function isYoung({ written }: Segment): boolean {
    return retainMs > 0 && now() - written < retainMs;
  }

  function makeRoom(bytes: number): void {
    let missing = segments.bytes + bytes - maxBytes;
    if (missing <= 0) return;
    let count = 0;
    for (const segment of kept()) {
      if (missing <= 0) break;
      missing -= segment.bytes;
      count++;
    }
    // Counted as removed at once, without waiting for the disk.
    void segments.removeOldest(count);
  }
}

function sizeOf(segments: Segment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}
