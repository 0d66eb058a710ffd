import { abortable } from './abortable.ts';
import { createBackoff } from './backoff.ts';

/** Does `work` until it succeeds, with back-off in between. Rejects only when `signal` fires. */
export async function keepTrying<T>(
  work: () => Promise<T>,
  { signal, onFailure }: { signal: AbortSignal; onFailure: (error: unknown) => void },
): Promise<T> {
  const backoff = createBackoff();
  while (true) {
    signal.throwIfAborted();
    try {
      return await abortable(signal, work());
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
      await backoff.wait(signal);
    }
  }
}
