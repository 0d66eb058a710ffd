import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, reasonOf } from './log.ts';

export type Shutdown = {
  /** Adds what to do, before everything that was added earlier: what starts last stops first. Done at once after the end. */
  add(name: string, stop: () => Promise<void>): void;
  /**
   * Stops everything in order, also what is added meanwhile: what is still `starting` has its turn when it is there. Returns
   * whether all of it ended within the deadline.
   */
  run(starting?: Promise<unknown>): Promise<boolean>;
};

type Step = { name: string; stop: () => Promise<void> };

const SHORTEST_MS = 100;

/** One step that fails or hangs does not keep the others from their turn, as far as the time allows. */
export function createShutdown({ deadlineMs, log }: { deadlineMs: number; log: Log }): Shutdown {
  /** The next to stop comes last. */
  const steps: Step[] = [];
  let running: Promise<boolean> | undefined;
  let ended = false;
  return {
    add(name, stop) {
      if (ended) void outcomeOf({ name, stop }, SHORTEST_MS);
      else steps.push({ name, stop });
    },
    run(starting) {
      running ??= stopAll(starting).finally(() => {
        ended = true;
      });
      return running;
    },
  };

  async function stopAll(starting: Promise<unknown> | undefined): Promise<boolean> {
    const end = Date.now() + deadlineMs;
    const left = () => Math.max(end - Date.now(), SHORTEST_MS);
    let clean = true;
    const stopThoseThere = async () => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop())
        clean = (await outcomeOf(step, left())) && clean;
    };
    await stopThoseThere();
    // A start that fails now, because what it needs is stopped, is no failure.
    const stop = async () => void (await starting?.catch(() => {}));
    if (starting !== undefined) clean = (await outcomeOf({ name: 'start', stop }, left())) && clean;
    await stopThoseThere();
    return clean;
  }

  /** Whether it ended in time and well; else it is in the log. */
  async function outcomeOf({ name, stop }: Step, withinMs: number): Promise<boolean> {
    const timer = new AbortController();
    const outcome = await Promise.race([
      stop().then(
        () => 'done',
        (error: unknown) => reasonOf(error),
      ),
      sleep(withinMs, 'took too long', { signal: timer.signal }).catch(() => 'done'),
    ]);
    timer.abort();
    if (outcome === 'done') return true;
    log.error({ part: name, reason: outcome }, 'not stopped cleanly');
    return false;
  }
}
