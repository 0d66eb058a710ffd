export type LinkedSignal = {
  signal: AbortSignal;
  /** From now on it follows no more, and they forget it. */
  unlink(): void;
};

/**
 * A signal that fires when one of `signals` does. Not AbortSignal.any: a signal that lives as long as the process would
 * remember each one that was made of it (nodejs/node#54614).
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
