import { createBackoff } from '../../service/backoff.ts';
import type { Undecodable } from '../undecodable.ts';

/** How often a batch is fetched before it is given up: a batch that was damaged in transit arrives intact the next time. */
const MOST_ATTEMPTS = 5;

export type DecodeAttempts = {
  /** Waits a little and resolves with true if the batch should be fetched again, with false after the last attempt. */
  again(partition: number, undecodable: Undecodable, signal: AbortSignal): Promise<boolean>;
};

/** `onFailure` is called before each further attempt. */
export function createDecodeAttempts(topic: string, onFailure: (error: unknown) => void): DecodeAttempts {
  const attempts = new Map<
    number,
    { first: bigint; count: number; backoff: ReturnType<typeof createBackoff> }
  >();
  return {
    async again(partition, { first, reason }, signal) {
      const before = attempts.get(partition);
      const attempt = before?.first === first ? before : { first, count: 0, backoff: createBackoff() };
      attempts.set(partition, attempt);
      attempt.count++;
      if (attempt.count >= MOST_ATTEMPTS) {
        attempts.delete(partition);
        return false;
      }
      onFailure(
        new Error(
          `a batch of ${topic}/${partition} at offset ${first} cannot be decoded: ${reason}; attempt ${attempt.count} of ${MOST_ATTEMPTS}`,
        ),
      );
      await attempt.backoff.wait(signal).catch(() => {});
      return true;
    },
  };
}
