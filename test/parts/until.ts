import { setTimeout as delay } from 'node:timers/promises';

type Until = {
  timeoutMs: number;
  /** What is waited for, for the error: `Kafka to start`. */
  what: string;
  everyMs?: number;
  /** Details for the error, requested after the timeout: the tail of a log. */
  detail?: () => string | Promise<string>;
};

/** Waits until `condition` returns something truthy, and returns that. Throws once `timeoutMs` have passed. */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { timeoutMs, what, everyMs = 25, detail }: Until,
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) break;
    await delay(everyMs);
  }
  const more = await detail?.();
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}${more ? `\n${more}` : ''}`);
}
