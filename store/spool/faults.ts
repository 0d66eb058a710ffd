/** A fault that the spool handled, to be counted and logged. */
export type SpoolFault =
  /** Bytes between records that are not a record. They are copied to `quarantine/`, unless it is full. */
  | { kind: 'corrupt'; segment: number; offset: number; bytes: number; kept: boolean }
  /** An incomplete record at the very end, left by a crash: it was never acknowledged, and is removed. */
  | { kind: 'torn'; segment: number; offset: number; bytes: number }
  /** The events `from` to `to - 1` are missing: damaged, or their segment was removed. */
  | { kind: 'gap'; consumer: string; from: number; to: number }
  /** A cursor that cannot be read or stored, or is implausible. */
  | { kind: 'cursor'; consumer: string; reason: string }
  /** An fsync failed: events acknowledged in the last second may not survive a power cut. */
  | { kind: 'fsync'; reason: string }
  /** A segment that cannot be read at the moment; the consumer retries. */
  | { kind: 'read'; consumer: string; reason: string }
  /** A consumer's handler rejected; the same batch is redelivered. */
  | { kind: 'refused'; consumer: string; reason: string }
  /** A segment that every consumer has passed, but that cannot be removed. */
  | { kind: 'delete'; segment: number; reason: string };

/** A fault, for the log. */
export function faultWords(fault: SpoolFault): string {
  switch (fault.kind) {
    case 'corrupt':
      return `${fault.bytes} damaged bytes in segment ${fault.segment}${fault.kept ? ', which are in quarantine' : ''}`;
    case 'torn':
      return `an incomplete event at the end, as after a crash: ${fault.bytes} bytes are removed`;
    case 'gap':
      return `${fault.to - fault.from} events for ${fault.consumer} are missing`;
    case 'cursor':
      return `the cursor of ${fault.consumer}: ${fault.reason}`;
    case 'fsync':
      return `not synced to disk: ${fault.reason}`;
    case 'read':
      return `a segment cannot be read for ${fault.consumer}: ${fault.reason}`;
    case 'refused':
      return `${fault.consumer} did not accept a batch: ${fault.reason}`;
    case 'delete':
      return `segment ${fault.segment} cannot be removed: ${fault.reason}`;
  }
}

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

/** Above this number of damaged places, one that two consumers find is counted twice. */
const MOST_REMEMBERED = 10_000;

/** Counts faults and reports them. A damaged place is counted once, even if several consumers find it. */
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
