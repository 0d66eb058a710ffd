/** Something that the spool survived and that people should know of. */
export type SpoolFault =
  /** Bytes that are no record, between records. They are kept in `quarantine/`, unless that is full. */
  | { kind: 'corrupt'; segment: number; offset: number; bytes: number; kept: boolean }
  /** A write that a crash cut off, at the very end: it was never acknowledged, and is removed. */
  | { kind: 'torn'; segment: number; offset: number; bytes: number }
  /** The events `from` to `to - 1` are missing: damaged, or their segment is gone. */
  | { kind: 'gap'; consumer: string; from: number; to: number }
  /** A cursor that cannot be read, stored or believed. */
  | { kind: 'cursor'; consumer: string; reason: string }
  /** What was acknowledged in the last second may not survive a power cut. */
  | { kind: 'fsync'; reason: string }
  /** A segment that cannot be read now; its consumer tries again. */
  | { kind: 'read'; consumer: string; reason: string }
  /** A consumer's handler rejected; the same batch is redelivered. */
  | { kind: 'refused'; consumer: string; reason: string }
  /** A segment that every consumer has passed, and that cannot be removed. */
  | { kind: 'delete'; segment: number; reason: string };

export type FaultCounts = {
  /** Damaged places in segments. */
  corruptRecords: number;
  corruptBytes: number;
  tornBytes: number;
  /** Events that could not be delivered to a consumer, counted per consumer. */
  lostEvents: number;
  fsyncErrors: number;
};

export type Faults = { report(fault: SpoolFault): void; counts: Readonly<FaultCounts> };

/** More damaged places than anybody looks at: beyond, one that two consumers meet is counted twice. */
const MOST_REMEMBERED = 10_000;

/** Counts faults and passes them on; a damaged place counts once, however many consumers come by. */
export function createFaults(onFault: (fault: SpoolFault) => void): Faults {
  const seen = new Set<string>();
  const counts = { corruptRecords: 0, corruptBytes: 0, tornBytes: 0, lostEvents: 0, fsyncErrors: 0 };
  return { report, counts };

  function report(fault: SpoolFault): void {
    if (fault.kind === 'corrupt') {
      const place = `${fault.segment}/${fault.offset}`;
      if (seen.has(place)) return;
      if (seen.size < MOST_REMEMBERED) seen.add(place);
      counts.corruptRecords++;
      counts.corruptBytes += fault.bytes;
    }
    if (fault.kind === 'torn') counts.tornBytes += fault.bytes;
    if (fault.kind === 'gap') counts.lostEvents += fault.to - fault.from;
    if (fault.kind === 'fsync') counts.fsyncErrors++;
    onFault(fault);
  }
}
