import type { HotItemEvent } from '../event/event.ts';
import { EventError, parse } from '../event/parse.ts';
import { createBackoff } from '../service/backoff.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { DeadLetter, DeadLetters } from '../store/dead-letters.ts';
import { type EventIndex, IndexUnavailable, type Outcome } from '../store/event-index.ts';
import type { Batch, Consumer, Context, Handler, Log } from '../store/log.ts';
import { whileBeating } from './heartbeat.ts';
import type { SINK_METRICS } from './metrics.ts';

export type SinkOptions = {
  log: Log;
  /** Name of the cursor, or the consumer group. */
  cursor: string;
  index: EventIndex;
  deadLetters: DeadLetters;
  /** Most events in one request to the index. */
  batchEvents: number;
  metrics: Metrics<typeof SINK_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
};

/** An event on its way, and where its record lies in the batch. */
type Pending = { event: HotItemEvent; at: number };

const SMALLEST_BATCH = 50;

/**
 * Moves events from a log into an index. A batch is acknowledged when each of its records is in the index, was there
 * already, or is kept as a dead letter; so whatever fails or is killed in between only makes some come again.
 */
export function startSink(options: SinkOptions): Promise<Consumer> {
  return options.log.consume(options.cursor, createHandler(options));
}

function createHandler({ index, deadLetters, batchEvents, metrics, warn }: SinkOptions): Handler {
  const consumed = metrics.of('sink_consumed_total');
  const indexed = metrics.of('sink_indexed_total');
  const existing = metrics.of('sink_existing_total');
  const up = metrics.of('sink_index_up');
  const batchSize = metrics.of('sink_batch_events');
  batchSize.set(batchEvents);
  // Until it is known to be away.
  up.set(1);

  return async (batch, context) => {
    const { pending, dead } = read(batch);
    const invalid = dead.length;
    let created = 0;
    let found = 0;
    let left = pending;
    const backoff = createBackoff();
    while (left.length > 0) {
      const some = left.slice(0, batchSize.value());
      const outcomes = await create(some, context);
      const again = outcomes === undefined ? some : some.filter((_, i) => outcomes[i]?.status === 'retry');
      outcomes?.forEach((outcome, i) => {
        if (outcome.status === 'created') created++;
        else if (outcome.status === 'exists') found++;
        else if (outcome.status === 'rejected') dead.push(letter(batch, some[i]?.at ?? 0, outcome.reason));
      });
      left = [...again, ...left.slice(some.length)];
      if (again.length > 0) await whileBeating(context, backoff.wait(context.stopping));
      else backoff.reset();
      adapt(outcomes, again.length);
    }
    if (dead.length > 0) await bury(dead, context);
    consumed.add(batch.values.length);
    indexed.add(created);
    existing.add(found);
    metrics.of('sink_dead_total', { reason: 'invalid' }).add(invalid);
    metrics.of('sink_dead_total', { reason: 'rejected' }).add(dead.length - invalid);
  };

  /** Undefined when the index is away. */
  async function create(some: Pending[], context: Context): Promise<Outcome[] | undefined> {
    try {
      const outcomes = await whileBeating(context, index.create(some.map(({ event }) => event)));
      up.set(1);
      return outcomes;
    } catch (error) {
      if (!(error instanceof IndexUnavailable)) throw error;
      up.set(0);
      metrics.of('sink_retries_total', { reason: 'unavailable' }).add();
      warn('index', 'the index is away; nothing is lost, trying again', { reason: reasonOf(error) });
      return undefined;
    }
  }

  /** An overloaded index gets smaller requests at once, and larger ones bit by bit. */
  function adapt(outcomes: Outcome[] | undefined, again: number): void {
    if (outcomes !== undefined && again > 0) {
      const reason = outcomes.find((outcome) => outcome.status === 'retry');
      metrics.of('sink_retries_total', { reason: 'overloaded' }).add();
      warn('overloaded', 'the index does not take everything; trying again', { ...reason, events: again });
      batchSize.set(Math.max(Math.min(SMALLEST_BATCH, batchEvents), batchSize.value() >> 1));
      return;
    }
    batchSize.set(Math.min(batchEvents, batchSize.value() + SMALLEST_BATCH));
  }

  async function bury(letters: DeadLetter[], context: Context): Promise<void> {
    const kept = keepTrying(() => deadLetters.add(letters), {
      signal: context.signal,
      stopping: context.stopping,
      onFailure: (error) =>
        warn('dead letters', 'cannot keep dead letters, trying again', { reason: reasonOf(error) }),
    });
    await whileBeating(context, kept);
  }
}

function read(batch: Batch): { pending: Pending[]; dead: DeadLetter[] } {
  const pending: Pending[] = [];
  const dead: DeadLetter[] = [];
  batch.values.forEach((value, at) => {
    try {
      pending.push({ event: parse(value.toString('utf8')), at });
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      dead.push(letter(batch, at, error.message));
    }
  });
  return { pending, dead };
}

function letter(batch: Batch, at: number, reason: string): DeadLetter {
  return {
    value: batch.values[at] ?? Buffer.alloc(0),
    reason,
    origin: `${batch.source}/${batch.position(at)}`,
  };
}
