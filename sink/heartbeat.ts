import { abortable } from '../service/abortable.ts';
import { linkSignals } from '../service/linked-signal.ts';
import type { Context } from '../store/event-log.ts';

const EVERY_MS = 2_000;

/**
 * Keeps the group membership alive while `work` runs. Rejects if `work` rejects, if a heartbeat fails (the group is about to rebalance), or
 * if the signal is aborted; in each case, the signal passed to `work` is aborted by then.
 */
export async function whileBeating<T>(
  { signal, heartbeat }: Context,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const either = linkSignals(signal, over.signal);
  const timer = setInterval(() => heartbeat().catch((error) => over.abort(error)), EVERY_MS);
  try {
    return await abortable(either.signal, work(either.signal));
  } finally {
    clearInterval(timer);
    over.abort();
  }
}
