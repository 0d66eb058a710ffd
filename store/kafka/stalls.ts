import { reasonOf } from '../../service/log.ts';
import type { Batch } from '../event-log.ts';
import { KafkaError } from './error.ts';

/** Which partitions do not go on, and why; those that wait for an index that is unavailable are not meant. */
export type Stalls = {
  /** The batch cannot go on because of this, whatever is tried. */
  waits(batch: Batch, why: string): void;
  /** Handling the batch has failed. It may be a matter of one attempt: a stall only when it goes on failing. */
  failed(batch: Batch, error: unknown): void;
  /** The batch is done. */
  goesOn(batch: Batch): void;
  /** For people; undefined where all go on. */
  reason(): string | undefined;
};

/** Failures of one batch, one after the other, that are no chance. */
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

/** Why a batch waits whose dead letters cannot be kept, with what to do about it. */
export function whyNotKept(error: unknown): string {
  const hint = error instanceof KafkaError && error.hint !== undefined ? `: ${error.hint}` : '';
  return `dead letters cannot be kept: ${reasonOf(error)}${hint}`;
}
