import { setTimeout as sleep } from 'node:timers/promises';
import { linkSignals } from './linked-signal.ts';

export type Backoff = {
  /** Waits, longer after each call, with jitter. Rejects with an AbortError when one of `signals` is aborted. */
  wait(...signals: AbortSignal[]): Promise<void>;
  /** Resets the delay after a success. */
  reset(): void;
};

/** Exponential back-off with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015). */
export function createBackoff({ firstMs = 100, longestMs = 5000 } = {}): Backoff {
  let attempt = 0;
  return {
    async wait(...signals) {
      const ceiling = Math.min(longestMs, firstMs * 2 ** attempt++);
      const { signal, unlink } = linkSignals(...signals);
      try {
        await sleep(ceiling * (0.5 + Math.random() / 2), undefined, { signal });
      } finally {
        unlink();
      }
    },
    reset() {
      attempt = 0;
    },
  };
}
