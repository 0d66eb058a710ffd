import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, reasonOf } from './log.ts';

export type Shutdown = {
  /** Adds what to do, before everything that was added earlier: what starts last stops first. */
  add(name: string, stop: () => Promise<void>): void;
  /** Stops everything in order. Returns whether all of it ended within the deadline. */
  run(): Promise<boolean>;
};

/** One step that fails or hangs does not keep the others from their turn, as far as the time allows. */
export function createShutdown({ deadlineMs, log }: { deadlineMs: number; log: Log }): Shutdown {
  const steps: { name: string; stop: () => Promise<void> }[] = [];
  let running: Promise<boolean> | undefined;
  return {
    add(name, stop) {
      steps.unshift({ name, stop });
    },
    run() {
      running ??= stopAll();
      return running;
    },
  };

  async function stopAll(): Promise<boolean> {
    const end = Date.now() + deadlineMs;
    let clean = true;
    for (const { name, stop } of steps) {
      const left = Math.max(end - Date.now(), 100);
      const timer = new AbortController();
      const outcome = await Promise.race([
        stop().then(
          () => 'done',
          (error: unknown) => reasonOf(error),
        ),
        sleep(left, 'took too long', { signal: timer.signal }).catch(() => 'done'),
      ]);
      timer.abort();
      if (outcome === 'done') continue;
      clean = false;
      log.error({ part: name, reason: outcome }, 'not stopped cleanly');
    }
    return clean;
  }
}
