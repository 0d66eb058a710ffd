import { abortable } from './abortable.ts';
import { createBackoff } from './backoff.ts';

export type KeepTryingOptions = {
  signal: AbortSignal;
  stopping?: AbortSignal;
  onFailure: (error: unknown) => void;
};

/**
 * Does `work` until it succeeds, with back-off in between. Rejects when `signal` fires, and as soon as there is nothing in
 * hand when `stopping` does.
 */
export async function keepTrying<T>(
  work: () => Promise<T>,
  { signal, stopping = signal, onFailure }: KeepTryingOptions,
): Promise<T> {
  const backoff = createBackoff();
  while (true) {
    signal.throwIfAborted();
    try {
      return await abortable(signal, work());
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
      await backoff.wait(signal, stopping);
    }
  }
}
