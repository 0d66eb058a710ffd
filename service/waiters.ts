/** Those who wait for something to happen. */
export type Waiters = {
  /** Resolves at the next `wake`, at the latest when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>;
  /** It has happened. */
  wake(): void;
};

export function createWaiters(): Waiters {
  const waiting = new Set<() => void>();
  return {
    wait(signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const end = () => {
          waiting.delete(end);
          signal.removeEventListener('abort', end);
          resolve();
        };
        waiting.add(end);
        signal.addEventListener('abort', end);
      });
    },
    wake() {
      for (const end of waiting) end();
    },
  };
}
