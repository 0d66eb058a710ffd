import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { Meter } from '../service/metrics.ts';
import type { Outage } from '../service/outage.ts';
import type { DeadLetters } from '../store/dead-letters/dead-letters.ts';
import type { Batch, Consumer, Context, EventLog } from '../store/event-log.ts';
import { KafkaError, PERMANENT } from '../store/kafka/error.ts';
import { createStalls, whyNotKept } from '../store/kafka/stalls.ts';
import type { FORWARD_METRICS } from './metrics.ts';

export type ForwarderOptions = {
  from: EventLog;
  cursor: string;
  to: EventLog;
  deadLetters: DeadLetters;
  limits: ForwarderLimits;
  metrics: { of(name: keyof typeof FORWARD_METRICS, labels?: Record<string, string>): Meter };
  warn: (key: string, message: string, fields?: object) => void;
  /** Reports whether Kafka accepts events. */
  outage: Outage;
  /** All records are made alike: a topic that rejects several in a row as invalid would reject each. */
  areAlike?: boolean;
};

export type ForwarderLimits = {
  /** Maximum bytes of one request to Kafka; only a single event may be larger. */
  batchEvents: number;
  batchBytes: number;
  /** Concurrent requests. */
  requests: number;
};

/** So many records rejected as invalid, with none accepted in between, are no coincidence. */
const MOST_IN_A_ROW = 10;

/**
 * Moves events from the spool to Kafka. A request that is not acknowledged is retried without limit: its events are safe in the spool. A
 * request that Kafka rejects permanently is halved until the rejected events are alone; those become dead letters, unless the topic
 * rejects every event.
 *
 * Several requests are in flight at once, but all from one batch of the spool, which is acknowledged as a whole: the cursor never passes an
 * event that Kafka does not have.
 */
export async function startForwarder(options: ForwarderOptions): Promise<Consumer> {
  const { from, cursor, to, deadLetters, limits, metrics, warn, outage, areAlike = false } = options;
  const stalls = createStalls();
  /** Single records that were rejected as invalid since one was accepted. */
  let inARow = 0;
  // From the start on: what watches a counter sees no growth in one that appears with its first value.
  for (const reason of PERMANENT) metrics.of('forward_dead_total', { reason });
  const consumer = await from.consume(cursor, async (batch, context) => {
    const outcome: Outcome = { forwarded: 0, dead: [] };
    const rest = requestsOf(batch, limits);
    const work = async () => {
      for (let next = rest.next(); !next.done; next = rest.next())
        await deliver(next.value, context, outcome);
    };
    await Promise.all(Array.from({ length: limits.requests }, work));
    // All at once, together with the cursor: the accounting balances at any moment.
    metrics.of('forwarded_total').add(outcome.forwarded);
    for (const reason of outcome.dead) metrics.of('forward_dead_total', { reason }).add();
    stalls.goesOn(batch);
    outage.works();
  });
  return { ...consumer, failure: () => consumer.failure() ?? stalls.reason() };

  async function deliver(batch: Batch, context: Context, outcome: Outcome): Promise<void> {
    const refusal = await keepTrying(() => attempt(batch), { ...context, onFailure });
    if (refusal === undefined) {
      outcome.forwarded += batch.values.length;
    } else if (batch.values.length > 1) {
      metrics.of('forward_retries_total', { reason: refusal.failure }).add();
      const middle = batch.values.length >> 1;
      await deliver(part(batch, 0, middle), context, outcome);
      await deliver(part(batch, middle), context, outcome);
    } else {
      await bury(batch, refusal, context);
      outcome.dead.push(refusal.failure);
    }
  }

  /** Undefined if Kafka has them; otherwise why it rejects them permanently. */
  async function attempt(batch: Batch): Promise<KafkaError | undefined> {
    try {
      await to.append(batch);
      inARow = 0;
      return undefined;
    } catch (error) {
      if (!(error instanceof KafkaError) || error.retriable) throw error;
      const isInvalid = batch.values.length === 1 && error.failure === 'invalid';
      if (isInvalid) inARow++;
      if (areAlike && isInvalid && inARow > MOST_IN_A_ROW) throw error;
      return error;
    }
  }

  function onFailure(error: unknown): void {
    const { failure = 'other', hint } = error instanceof KafkaError ? error : {};
    metrics.of('forward_retries_total', { reason: failure }).add();
    outage.fails(reasonOf(error), hint);
    warn(`kafka ${failure}`, 'Kafka does not accept events; they wait in the spool', {
      reason: reasonOf(error),
      ...(hint !== undefined && { hint }),
    });
  }

  async function bury(batch: Batch, refusal: KafkaError, context: Context): Promise<void> {
    const [value = Buffer.alloc(0)] = batch.values;
    const origin = `${batch.source}/${batch.position(0)}`;
    warn(`refused ${refusal.failure}`, 'Kafka rejects an event permanently: it becomes a dead letter', {
      reason: reasonOf(refusal),
      origin,
      ...(refusal.hint !== undefined && { hint: refusal.hint }),
    });
    const add = () => deadLetters.add([{ value, reason: reasonOf(refusal), origin }]);
    await keepTrying(add, { ...context, onFailure });

    function onFailure(error: unknown): void {
      const { failure = 'other', hint } = error instanceof KafkaError ? error : {};
      // An unavailable Kafka is not reported as an error.
      if (!PASSES.has(failure)) stalls.waits(batch, whyNotKept(error));
      warn('dead letters', 'cannot store a dead letter, retrying; nothing is forwarded until then', {
        reason: reasonOf(error),
        ...(hint !== undefined && { hint }),
      });
    }
  }
}

/** A failure that ends without an operator. */
const PASSES: ReadonlySet<string> = new Set(['unreachable', 'leader', 'not_enough_replicas']);

type Outcome = { forwarded: number; dead: string[] };

/** Splits a batch into requests, each sent by the next free slot. */
function* requestsOf(batch: Batch, { batchEvents, batchBytes }: ForwarderLimits): Generator<Batch> {
  const { values } = batch;
  let begin = 0;
  let bytes = 0;
  for (const [i, { length }] of values.entries()) {
    if (i > begin && (i - begin >= batchEvents || bytes + length > batchBytes)) {
      yield part(batch, begin, i);
      begin = i;
      bytes = 0;
    }
    bytes += length;
  }
  if (begin < values.length) yield part(batch, begin);
}

function part(batch: Batch, begin: number, end: number = batch.values.length): Batch {
  return { ...batch, values: batch.values.slice(begin, end), position: (i) => batch.position(begin + i) };
}
