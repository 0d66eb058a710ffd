/** A semaphore: limits how many operations run at once. */
export type Slots = {
  /** Runs `work` once a slot is free, first come, first served. Rejects with the signal's reason if it is aborted before that. */
  use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
};

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return { use };

  async function use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (free > 0) free--;
    else await turn(signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** The slot passes to the next waiter and is never free in between, so later callers cannot overtake. */
  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = () => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        waiting.splice(waiting.indexOf(mine), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', give, { once: true });
      waiting.push(mine);
    });
  }
}
