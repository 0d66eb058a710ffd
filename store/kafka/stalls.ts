import { reasonOf } from '../../service/log.ts';
import type { Batch } from '../event-log.ts';
import { KafkaError } from './error.ts';

/** Which partitions are stalled, and why; waiting for an unavailable index does not count. */
export type Stalls = {
  /** The batch is stalled for this reason; retrying does not help. */
  waits(batch: Batch, why: string): void;
  /** Handling the batch failed. It counts as a stall only if it keeps failing. */
  failed(batch: Batch, error: unknown): void;
  /** The batch is done. */
  goesOn(batch: Batch): void;
  /** For people; undefined if none is stalled. */
  reason(): string | undefined;
};

/** This many consecutive failures of one batch are no coincidence. */
const MOST_FAILURES = 5;

export function createStalls(): Stalls {
  const sources = new Map<string, { position: string; failures: number; why: string | undefined }>();
  return { waits, failed, goesOn, reason };

  function waits(batch: Batch, why: string): void {
    sources.set(batch.source, { position: batch.position(0), failures: 0, why });
  }

  function failed(batch: Batch, error: unknown): void {
    const position = batch.position(0);
    const before = sources.get(batch.source);
    const failures = before?.position === position ? before.failures + 1 : 1;
    const why = failures < MOST_FAILURES ? undefined : `it fails again and again: ${reasonOf(error)}`;
    sources.set(batch.source, { position, failures, why });
  }

  function goesOn({ source }: Batch): void {
    sources.delete(source);
  }

  function reason(): string | undefined {
    for (const [source, { position, why }] of sources) {
      if (why !== undefined) return `it is stalled in ${source} at ${position}: ${why}`;
    }
    return undefined;
  }
}

/** Why a batch waits whose dead letters cannot be stored, and what to do about it. */
export function whyNotKept(error: unknown): string {
  const hint = error instanceof KafkaError && error.hint !== undefined ? `: ${error.hint}` : '';
  return `dead letters cannot be stored: ${reasonOf(error)}${hint}`;
}
