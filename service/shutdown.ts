import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, reasonOf } from './log.ts';

export type Shutdown = {
  /** Adds a step, to run before those that were added earlier: what starts last stops first. After the shutdown it runs at once. */
  add(name: string, stop: () => Promise<void>): void;
  /**
   * Runs all steps in order, including those added meanwhile by a `starting` service. Returns whether all of them ended within the
   * deadline.
   */
  run(starting?: Promise<unknown>): Promise<boolean>;
};

type Step = { name: string; stop: () => Promise<void> };

const SHORTEST_MS = 100;

/** A step that fails or hangs does not prevent the others, as far as time allows. */
export function createShutdown({ deadlineMs, log }: { deadlineMs: number; log: Log }): Shutdown {
  /** In reverse order: the step that was added last runs first. */
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
    const end = performance.now() + deadlineMs;
    const left = () => Math.max(end - performance.now(), SHORTEST_MS);
    let clean = true;
    const stopThoseThere = async () => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop())
        clean = (await outcomeOf(step, left())) && clean;
    };
    await stopThoseThere();
    // A start that fails because its dependencies were stopped is not a failure.
    const stop = async () => void (await starting?.catch(() => {}));
    if (starting !== undefined) clean = (await outcomeOf({ name: 'start', stop }, left())) && clean;
    await stopThoseThere();
    return clean;
  }

  /** Whether it ended in time and without an error; otherwise that is logged. */
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
