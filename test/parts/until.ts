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
const MOST_MS = 100;

/** Waits until `condition` returns something truthy, and returns that. Throws once `timeoutMs` have passed. */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  { timeoutMs, what, everyMs, detail }: Until,
): Promise<NonNullable<Value>> {
  const began = Date.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    const elapsed = Date.now() - began;
    if (elapsed > timeoutMs) break;
    await delay(everyMs ?? Math.min(MOST_MS, Math.max(LEAST_MS, elapsed / 10)));
  }
  const more = await detail?.();
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}${more ? `\n${more}` : ''}`);
}
