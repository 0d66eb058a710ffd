import { setTimeout as sleep } from 'node:timers/promises';

export type EnoughOptions = {
  /** The value that `count` must reach. */
  enough: number;
  count: () => Promise<number>;
  /** A value that changes as long as there is progress, even if `count` does not: for example the number of events read. */
  stir?: () => Promise<unknown>;
  /** The longest wait, with or without progress. */
  timeoutMs: number;
};

/** After this time without progress, missing events count as lost. */
const QUIET_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** Waits until there is enough, or there was no progress for long: the accounting then shows what is missing. */
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
