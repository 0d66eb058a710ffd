import { setTimeout as sleep } from 'node:timers/promises';

export type EnoughOptions = {
  /** What `count` must come to. */
  enough: number;
  count: () => Promise<number>;
  /** Anything that changes while somebody still works, though `count` may not: events that are read again, for one. */
  stir?: () => Promise<unknown>;
  /** Longest wait, however much it stirs. */
  timeoutMs: number;
};

/** So long without a change, and what is missing is lost. */
const QUIET_MS = 20_000;
const LOOK_EVERY_MS = 250;

/** Waits until there is enough, or nothing has changed for long: the books then say what is missing. */
export async function enoughOrQuiet({ enough, count, stir, timeoutMs }: EnoughOptions): Promise<void> {
  const began = performance.now();
  let seen = '';
  let since = began;
  for (;;) {
    const counted = await count();
    const now = JSON.stringify([counted, await stir?.()]);
    if (now !== seen) since = performance.now();
    seen = now;
    if (counted >= enough || performance.now() - since > QUIET_MS || performance.now() - began > timeoutMs)
      return;
    await sleep(LOOK_EVERY_MS);
  }
}
