import { type Backoff, createBackoff } from '../service/backoff.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import { createOutage, type OutageState } from '../service/outage.ts';
import type { WEBHOOK_METRICS } from './metrics.ts';
import { NotAccepted } from './post.ts';
import type { Message } from './webhook.ts';

/*
 * The messages for one webhook, in their order, one at a time. Each is tried again with back-off, and reaches the receiver at least once or is counted as
 * dropped. They are in memory only: what is hot is told again by who asks, and decisions as records are in the index.
 */

export type Deliveries = {
  /** Never throws and never waits. */
  add(message: Message): void;
  state(): DeliveryState;
  /** What waits is dropped, and counted. */
  close(): Promise<void>;
};

/** For `hotitem status` and readiness. */
export type DeliveryState = {
  name: string;
  waiting: number;
  dropped: number;
  /** Why nothing is accepted, and since when, ms since 1970; absent while it is. */
  failure?: OutageState;
  /** The last message that it rejected for good; absent once it has accepted a later one. */
  rejected?: { reason: string; at: number };
};

export type DeliveriesOptions = {
  name: string;
  /** Rejects with a `NotAccepted`. */
  deliver: (message: Message, stopping: AbortSignal) => Promise<unknown>;
  metrics: Metrics<typeof WEBHOOK_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** Between attempts. */
  backoff?: Backoff;
};

export const MOST_WAITING = 1_000;
export const LONGEST_MS = 15 * 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { name, deliver, metrics, warn, now } = options;
  const backoff = options.backoff ?? createBackoff({ firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS });
  const stopping = new AbortController();
  const waiting: Message[] = [];
  const outage = createOutage(now);
  let rejected: DeliveryState['rejected'];
  let work: Promise<void> | undefined;
  metrics.of('webhook_waiting', { webhook: name }).follow(() => waiting.length);
  return {
    add(message) {
      if (stopping.signal.aborted) return drop('stop');
      // The oldest is under way, perhaps: the next one goes.
      if (waiting.length >= MOST_WAITING) {
        waiting.splice(1, 1);
        drop('queue');
      }
      waiting.push(message);
      work ??= run();
    },
    state() {
      const failure = outage.state();
      return {
        name,
        waiting: waiting.length,
        dropped: dropped(),
        ...(failure !== undefined && { failure }),
        ...(rejected !== undefined && { rejected }),
      };
    },
    async close() {
      stopping.abort();
      await work;
      for (const _ of waiting.splice(0)) drop('stop');
    },
  };

  async function run(): Promise<void> {
    for (let message = waiting[0]; message !== undefined && !stopping.signal.aborted; message = waiting[0]) {
      if (await isDone(message)) waiting.shift();
      else await backoff.wait(stopping.signal).catch(() => {});
    }
    work = undefined;
  }

  /** Whether the message is finished: delivered, rejected or too late. */
  async function isDone(message: Message): Promise<boolean> {
    if (now() - message.at > LONGEST_MS) {
      drop('late');
      return true;
    }
    try {
      await deliver(message, stopping.signal);
      metrics.of('webhook_delivered_total', { webhook: name }).add();
      outage.works();
      rejected = undefined;
      backoff.reset();
      return true;
    } catch (error) {
      if (stopping.signal.aborted) return false;
      const reason = reasonOf(error);
      metrics.of('webhook_failures_total', { webhook: name }).add();
      if (!(error instanceof NotAccepted && error.isForGood)) {
        outage.fails(reason);
        warn(`webhook ${name}`, 'a webhook does not accept messages', { webhook: name, reason });
        return false;
      }
      // It answers: what waits is tried without back-off.
      outage.works();
      rejected = { reason, at: now() };
      backoff.reset();
      warn(`webhook ${name}`, 'a webhook has rejected a message', { webhook: name, reason });
      drop('rejected');
      return true;
    }
  }

  function drop(reason: 'queue' | 'late' | 'rejected' | 'stop'): void {
    metrics.of('webhook_dropped_total', { webhook: name, reason }).add();
    warn(`webhook ${name} dropped`, 'messages for a webhook are dropped', { webhook: name, reason });
  }

  function dropped(): number {
    const reasons = ['queue', 'late', 'rejected', 'stop'] as const;
    return reasons.reduce(
      (sum, reason) => sum + metrics.of('webhook_dropped_total', { webhook: name, reason }).value(),
      0,
    );
  }
}
