export type LinkedSignal = {
  signal: AbortSignal;
  /** Detaches it from all signals. */
  unlink(): void;
};

/**
 * A signal that is aborted when one of `signals` is. Unlike AbortSignal.any, a signal that lives as long as the process does not remember
 * every signal derived from it (nodejs/node#54614).
 */
export function linkSignals(...signals: AbortSignal[]): LinkedSignal {
  const linked = new AbortController();
  const follow = () => {
    unlink();
    linked.abort(signals.find(({ aborted }) => aborted)?.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', follow, { once: true });
  if (signals.some(({ aborted }) => aborted)) follow();
  return { signal: linked.signal, unlink };

  function unlink(): void {
    for (const signal of signals) signal.removeEventListener('abort', follow);
  }
}
