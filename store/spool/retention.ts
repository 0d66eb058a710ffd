import type { Segment, Segments } from './segments.ts';

export type RetentionOptions = {
  segments: Segments;
  /** What the slowest consumer has still to get: everything before it may go. */
  passed: () => number;
  /** Bytes of passed segments that are kept for a replay… */
  retainBytes: number;
  /** …and how long after their last event. A segment is deleted when it is beyond both. */
  retainMs: number;
  maxBytes: number;
  now: () => number;
};

/** What becomes of the segments that every consumer has passed. */
export type Retention = {
  /** Of the segments that are kept although every consumer has passed them. */
  bytes(): number;
  /** Removes what need not be kept any longer. */
  sweep(): Promise<void>;
  /** Deletes enough to fit `bytes` more, oldest first: an append has priority over a replay. */
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
    // Counted as deleted at once, without waiting for the disk.
    void segments.removeOldest(count);
  }
}

function sizeOf(segments: Segment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}
