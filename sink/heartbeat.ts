import { abortable } from '../service/abortable.ts';
import { linkSignals } from '../service/linked-signal.ts';
import type { Context } from '../store/event-log.ts';

const EVERY_MS = 2_000;

/**
 * Keeps the group membership while `work` takes its time. Rejects as `work` does, when a heartbeat does (the group is about
 * to rebalance), or when the signal fires; in any case, the signal passed to `work` has fired then.
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
