import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventError } from '../event/parse.ts';
import { createBackoff } from '../service/backoff.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Outage } from '../service/outage.ts';
import { type Index, IndexUnavailable, type Outcome, type Refusal } from '../store/event-index.ts';
import type { Batch } from '../store/event-log.ts';
import type { SINK_METRICS } from './metrics.ts';
import type { ReadRecord } from './read-record.ts';
import { createSlots } from './slots.ts';

export type DeliveryOptions<One> = {
  index: Pick<Index<One>, 'create'>;
  read: ReadRecord<One>;
  /** Maximum number of events in one request to the index. */
  batchEvents: number;
  /** Concurrent requests, for all partitions together. */
  requests: number;
  metrics: Metrics<typeof SINK_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  /** Reports whether the index accepts events. */
  outage: Outage;
  /** Called with the reason while the index rejects everything, and with `undefined` once it accepts an event. */
  onRefusal?: (reason: string | undefined) => void;
};

/** The outcome of a batch: each record is counted once. */
export type Delivered = {
  indexed: number;
  existing: number;
  /** Accepted and then dropped by the index, by reason. */
  dropped: Map<string, number>;
  /** Records that are not events. */
  invalid: Invalid[];
  /** Events that the index rejects permanently. */
  rejected: Rejected[];
};

/** Record `at` of the batch, and why it was rejected. */
export type Invalid = { at: number; error: EventError };
export type Rejected = { at: number; reason: string };

export type Signals = {
  /** Aborted: stop at once. */
  signal: AbortSignal;
  /** Aborted: stop when there is something to wait for. */
  stopping: AbortSignal;
};

type Settling = { signals: Signals; delivered: Delivered };
/** The outcomes of the records that are events. */
type Tried = { sent: number[]; outcomes: Outcome[] };

/** Delivers a batch to the index, and resolves when each of its records has an outcome. */
export type Delivery = (batch: Batch, signals: Signals) => Promise<Delivered>;

const SMALLEST_BATCH = 50;

const WORDS: Record<Refusal, string> = {
  away: 'the index is unavailable; nothing is lost, retrying',
  overloaded: 'the index does not accept everything; retrying',
  refused: 'the index rejects everything until that is fixed; nothing is lost, retrying',
};

export function createDelivery<One>(options: DeliveryOptions<One>): Delivery {
  const { index, read, batchEvents, requests, metrics, warn, outage, onRefusal = () => {} } = options;
  const slots = createSlots(requests);
  const up = metrics.of('sink_index_up');
  const batchSize = metrics.of('sink_batch_events');
  batchSize.set(batchEvents);
  // The index counts as available until an outcome says otherwise.
  up.set(1);

  return async (batch, signals) => {
    const delivered: Delivered = { indexed: 0, existing: 0, dropped: new Map(), invalid: [], rejected: [] };
    let next = 0;
    await Promise.all(Array.from({ length: requests }, takeTurns));
    return delivered;

    async function takeTurns(): Promise<void> {
      while (next < batch.values.length) {
        await slots.use(signals.signal, async () => {
          const from = next;
          next = Math.min(batch.values.length, from + batchSize.value());
          const records = Array.from({ length: next - from }, (_, i) => from + i);
          await settle(batch, records, { signals, delivered });
        });
      }
    }
  };

  async function settle(batch: Batch, records: number[], { signals, delivered }: Settling): Promise<void> {
    const backoff = createBackoff();
    let left = records;
    while (left.length > 0) {
      const some = left.slice(0, batchSize.value());
      // Yields to the event loop between two requests, because thousands of records are read at once.
      await nextTurn();
      const { sent, outcomes } = await create(batch, some, delivered);
      signals.signal.throwIfAborted();
      const again = sent.filter((at, i) => !isSettled(at, outcomes[i], delivered));
      left = [...again, ...left.slice(some.length)];
      adapt(outcomes);
      if (again.length > 0) await backoff.wait(signals.signal, signals.stopping);
      else backoff.reset();
    }
  }

  /**
   * Reads and sends some records. Records that are not events are noted; all others get an outcome, whatever happens. Each event is created
   * just before it is sent, and again for a retry: it is then short-lived garbage, while a list of thousands would be copied by the garbage
   * collector.
   */
  function create(batch: Batch, records: number[], { invalid }: Delivered): Promise<Tried> {
    const sent: number[] = [];
    return index.create(events()).then(succeeded, failed);

    function* events(): Generator<One | undefined> {
      for (const at of records) {
        const event = tryRead(batch, at);
        if (event instanceof EventError) {
          invalid.push({ at, error: event });
          yield undefined;
          continue;
        }
        sent.push(at);
        yield event;
      }
    }

    function succeeded(outcomes: Outcome[]): Tried {
      if (sent.length > 0) note(outcomes);
      return { sent, outcomes };
    }

    /** Records that are not events are known by now; only the others are retried. */
    function failed(error: unknown): Tried {
      if (!(error instanceof IndexUnavailable)) throw error;
      const noEvents = new Set(invalid.map(({ at }) => at));
      const rest = records.filter((at) => !noEvents.has(at));
      const outcome: Outcome = { status: 'retry', why: error.why, reason: reasonOf(error) };
      if (error.why === 'refused') note([outcome]);
      up.set(0);
      return { sent: rest, outcomes: rest.map(() => outcome) };
    }
  }

  /** Whether the index is usable, judging by these outcomes. */
  function note(outcomes: Outcome[]): void {
    const [first] = outcomes;
    const takesNone = outcomes.every((outcome) => outcome.status === 'retry' && outcome.why === 'refused');
    up.set(takesNone ? 0 : 1);
    onRefusal(takesNone && first?.status === 'retry' ? first.reason : undefined);
  }

  function tryRead(batch: Batch, at: number): One | EventError {
    try {
      return read(batch, at);
    } catch (error) {
      if (error instanceof EventError) return error;
      throw error;
    }
  }

  /** Shrinks requests at once while the index is overloaded, and grows them gradually. */
  function adapt(outcomes: Outcome[]): void {
    const refusal = outcomes.find((outcome) => outcome.status === 'retry');
    if (refusal === undefined) {
      outage.works();
      batchSize.set(Math.min(batchEvents, batchSize.value() + SMALLEST_BATCH));
      return;
    }
    const { why = 'overloaded', reason } = refusal;
    metrics.of('sink_retries_total', { reason: why }).add();
    warn(`index ${why}`, WORDS[why], { reason });
    if (why !== 'overloaded') {
      outage.fails(reason);
      return;
    }
    batchSize.set(Math.max(Math.min(SMALLEST_BATCH, batchEvents), batchSize.value() >> 1));
  }
}

function isSettled(at: number, outcome: Outcome | undefined, delivered: Delivered): boolean {
  if (outcome === undefined || outcome.status === 'retry') return false;
  if (outcome.status === 'created') delivered.indexed++;
  else if (outcome.status === 'exists') delivered.existing++;
  else if (outcome.status === 'dropped')
    delivered.dropped.set(outcome.reason, (delivered.dropped.get(outcome.reason) ?? 0) + 1);
  else delivered.rejected.push({ at, reason: outcome.reason });
  return true;
}
