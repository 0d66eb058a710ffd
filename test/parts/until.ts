import { setTimeout as delay } from 'node:timers/promises';

type Until = {
  timeoutMs: number;
  /** What is waited for, for the error: `Kafka to start`. */
  what: string;
  /** How often to ask. By default every 25 ms at first, and less often the longer it takes: each answer costs CPU, here and there. */
  everyMs?: number;
  /** Details for the error, requested after the timeout: the tail of a log. */
  detail?: () => string | Promise<string>;
};

const LEAST_MS = 25;
const MOST_MS = 200;
/** What one look and its pause count at most: while the machine stands still, nothing that is waited for can happen. */
const LONGEST_TURN_MS = 2_000;

/** Waits until `condition` returns something truthy, and returns that. Throws once `timeoutMs` have passed. */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { timeoutMs, what, everyMs, detail }: Until,
): Promise<NonNullable<Value>> {
  let waitedMs = 0;
  for (let turnAt = Date.now(); ; ) {
    const value = await condition();
    if (value) return value;
    if (waitedMs > timeoutMs) break;
    await delay(everyMs ?? Math.min(MOST_MS, Math.max(LEAST_MS, waitedMs / 10)));
    const now = Date.now();
    waitedMs += Math.min(LONGEST_TURN_MS, now - turnAt);
    turnAt = now;
  }
  const more = await detail?.();
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}${more ? `\n${more}` : ''}`);
}
