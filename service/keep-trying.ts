import { abortable } from './abortable.ts';
import { createBackoff } from './backoff.ts';

export type KeepTryingOptions = {
  signal: AbortSignal;
  stopping?: AbortSignal;
  onFailure: (error: unknown) => void;
};

/** Repeats `work` until it succeeds, with back-off. Rejects when `signal` is aborted, and after the current attempt when `stopping` is. */
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
