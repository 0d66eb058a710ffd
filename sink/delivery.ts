import type { HotItemEvent } from '../event/event.ts';
import { EventError } from '../event/parse.ts';
import { createBackoff } from '../service/backoff.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import { type EventIndex, IndexUnavailable, type Outcome, type Refusal } from '../store/event-index.ts';
import type { Batch } from '../store/log.ts';
import type { SINK_METRICS } from './metrics.ts';
import type { ReadRecord } from './read-record.ts';
import { createSlots } from './slots.ts';

export type DeliveryOptions = {
  index: EventIndex;
  read: ReadRecord;
  /** Most events in one request to the index. */
  batchEvents: number;
  /** Requests under way at once, for all partitions together. */
  requests: number;
  metrics: Metrics<typeof SINK_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
};

/** What became of a batch: each of its records is counted once. */
export type Delivered = {
  indexed: number;
  existing: number;
  /** No events, as records go. */
  invalid: Refused[];
  /** Events that the index will never take. */
  rejected: Refused[];
};

/** Record `at` of the batch, and why not. */
export type Refused = { at: number; reason: string };

export type Signals = {
  /** Give up at once. */
  signal: AbortSignal;
  /** Give up when there is something to wait for. */
  stopping: AbortSignal;
};

/** Brings a batch into the index, and does not resolve before each record has its outcome. */
export type Delivery = (batch: Batch, signals: Signals) => Promise<Delivered>;

/** An event on its way, and where its record lies in the batch. */
type Pending = { event: HotItemEvent; at: number };

const SMALLEST_BATCH = 50;

const WORDS: Record<Refusal, string> = {
  away: 'the index is away; nothing is lost, trying again',
  overloaded: 'the index does not take everything; trying again',
  refused: 'the index refuses everything until that is put right; nothing is lost, trying again',
};

export function createDelivery(options: DeliveryOptions): Delivery {
  const { index, read, batchEvents, requests, metrics, warn } = options;
  const slots = createSlots(requests);
  const up = metrics.of('sink_index_up');
  const batchSize = metrics.of('sink_batch_events');
  batchSize.set(batchEvents);
  // Until it is known to be away.
  up.set(1);

  return async (batch, signals) => {
    const delivered: Delivered = { indexed: 0, existing: 0, invalid: [], rejected: [] };
    let next = 0;
    await Promise.all(Array.from({ length: requests }, takeTurns));
    return delivered;

    async function takeTurns(): Promise<void> {
      while (next < batch.values.length) {
        await slots.use(signals.signal, async () => {
          const from = next;
          next = Math.min(batch.values.length, from + batchSize.value());
          await settle(readSome(batch, { from, to: next, delivered }), signals, delivered);
        });
      }
    }
  };

  function readSome(
    batch: Batch,
    { from, to, delivered }: { from: number; to: number; delivered: Delivered },
  ): Pending[] {
    const pending: Pending[] = [];
    for (let at = from; at < to; at++) {
      try {
        pending.push({ event: read(batch, at), at });
      } catch (error) {
        if (!(error instanceof EventError)) throw error;
        delivered.invalid.push({ at, reason: error.message });
      }
    }
    return pending;
  }

  async function settle(pending: Pending[], signals: Signals, delivered: Delivered): Promise<void> {
    const backoff = createBackoff();
    let left = pending;
    while (left.length > 0) {
      const some = left.slice(0, batchSize.value());
      const outcomes = await create(some);
      signals.signal.throwIfAborted();
      const again = some.filter((one, i) => !isSettled(one, outcomes[i], delivered));
      left = [...again, ...left.slice(some.length)];
      adapt(outcomes);
      if (again.length > 0) await backoff.wait(AbortSignal.any([signals.signal, signals.stopping]));
      else backoff.reset();
    }
  }

  /** One outcome an event, whatever happens. */
  async function create(some: Pending[]): Promise<Outcome[]> {
    try {
      const outcomes = await index.create(some.map(({ event }) => event));
      up.set(1);
      return outcomes;
    } catch (error) {
      if (!(error instanceof IndexUnavailable)) throw error;
      up.set(0);
      return some.map(() => ({ status: 'retry', why: error.why, reason: reasonOf(error) }));
    }
  }

  /** An overloaded index gets smaller requests at once, and larger ones bit by bit. */
  function adapt(outcomes: Outcome[]): void {
    const refusal = outcomes.find((outcome) => outcome.status === 'retry');
    if (refusal === undefined) {
      batchSize.set(Math.min(batchEvents, batchSize.value() + SMALLEST_BATCH));
      return;
    }
    const { why = 'overloaded', reason } = refusal;
    metrics.of('sink_retries_total', { reason: why }).add();
    warn(`index ${why}`, WORDS[why], { reason });
    if (why !== 'overloaded') return;
    batchSize.set(Math.max(Math.min(SMALLEST_BATCH, batchEvents), batchSize.value() >> 1));
  }
}

function isSettled({ at }: Pending, outcome: Outcome | undefined, delivered: Delivered): boolean {
  if (outcome === undefined || outcome.status === 'retry') return false;
  if (outcome.status === 'created') delivered.indexed++;
  else if (outcome.status === 'exists') delivered.existing++;
  else delivered.rejected.push({ at, reason: outcome.reason });
  return true;
}
