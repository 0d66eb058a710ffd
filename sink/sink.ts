import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { DeadLetter, DeadLetters } from '../store/dead-letters.ts';
import type { Batch, Consumer, Handler, Log } from '../store/log.ts';
import { createDelivery, type DeliveryOptions, type Refused, type Signals } from './delivery.ts';
import { whileBeating } from './heartbeat.ts';
import { createReadRecord, type ReadRecordOptions, withoutToken } from './read-record.ts';

export type SinkOptions = Omit<DeliveryOptions, 'read'> &
  ReadRecordOptions & {
    log: Log;
    /** Name of the cursor, or the consumer group. */
    cursor: string;
    deadLetters: DeadLetters;
  };

/**
 * Moves events from a log into an index. A batch is acknowledged when each of its records is in the index, was there
 * already, or is kept as a dead letter; so whatever fails or is killed in between only makes some come again.
 */
export function startSink(options: SinkOptions): Promise<Consumer> {
  return options.log.consume(options.cursor, createHandler(options));
}

function createHandler(options: SinkOptions): Handler {
  const { deadLetters, metrics, warn } = options;
  const deliver = createDelivery({ ...options, read: createReadRecord(options) });
  const consumed = metrics.of('sink_consumed_total');
  const indexed = metrics.of('sink_indexed_total');
  const existing = metrics.of('sink_existing_total');

  return async (batch, context) => {
    const { stopping } = context;
    const delivered = await whileBeating(context, async (signal) => {
      const outcome = await deliver(batch, { signal, stopping });
      const dead = [...outcome.invalid, ...outcome.rejected].map((refused) => toLetter(batch, refused));
      if (dead.length > 0) await bury(dead, { signal, stopping });
      return outcome;
    });
    consumed.add(batch.values.length);
    indexed.add(delivered.indexed);
    existing.add(delivered.existing);
    metrics.of('sink_dead_total', { reason: 'invalid' }).add(delivered.invalid.length);
    metrics.of('sink_dead_total', { reason: 'rejected' }).add(delivered.rejected.length);
  };

  function bury(letters: DeadLetter[], signals: Signals): Promise<void> {
    return keepTrying(() => deadLetters.add(letters), {
      ...signals,
      onFailure: (error) =>
        warn('dead letters', 'cannot keep dead letters, trying again', { reason: reasonOf(error) }),
    });
  }
}

function toLetter(batch: Batch, { at, reason }: Refused): DeadLetter {
  return {
    value: withoutToken(batch.values[at] ?? Buffer.alloc(0)),
    reason,
    origin: `${batch.source}/${batch.position(at)}`,
    recorded: batch.time?.(at),
  };
}
