import { mapInTurns } from '../service/give-way.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { DeadLetter, DeadLetters } from '../store/dead-letters/dead-letters.ts';
import type { Batch, Consumer, Context, EventLog, Handler } from '../store/event-log.ts';
import { KafkaError } from '../store/kafka/error.ts';
import type { Quarantine } from '../store/kafka/quarantine.ts';
import { createStalls, type Stalls, whyNotKept } from '../store/kafka/stalls.ts';
import { recordsIn, type Undecodable } from '../store/undecodable.ts';
import { createDeadNotice, type DeadNotice } from './dead-notice.ts';
import { createDelivery, type Delivered, type DeliveryOptions, type Signals } from './delivery.ts';
import { whileBeating } from './heartbeat.ts';
import type { LetterContent, LetterContents } from './letter.ts';
import { separateEvents } from './separate-events.ts';
import { setAside } from './set-aside.ts';

export type SinkOptions<One> = DeliveryOptions<One> & {
  log: EventLog;
  /** Name of the cursor, or the consumer group. */
  cursor: string;
  deadLetters: DeadLetters;
  /** What is stored of what cannot be indexed. */
  contents: LetterContents<One>;
  /** For batches that cannot be decoded; undefined if they may not be stored. */
  quarantine: Quarantine | undefined;
  /** Writes a line to the log. */
  say: (fields: object, message: string) => void;
};

const NOTHING = Buffer.alloc(0);

/**
 * Moves events from a log into an index. A batch is acknowledged when each of its records is in the index, was there already, or is stored
 * as a dead letter. A failure or a kill before that only redelivers.
 */
export async function startSink<One>(options: SinkOptions<One>): Promise<Consumer> {
  const stalls = createStalls();
  const notice = createDeadNotice({ say: options.say });
  const consumer = await options.log.consume(options.cursor, createHandler(options, stalls, notice));
  return {
    ...consumer,
    failure: () => consumer.failure() ?? stalls.reason(),
    async close(graceMs) {
      await consumer.close(graceMs);
      notice.close();
    },
  };
}

function createHandler<One>(options: SinkOptions<One>, stalls: Stalls, notice: DeadNotice): Handler {
  const { read, contents, deadLetters, quarantine, metrics, warn } = options;
  const deliver = createDelivery(options);
  const consumed = metrics.of('sink_consumed_total');
  const indexed = metrics.of('sink_indexed_total');
  const existing = metrics.of('sink_existing_total');

  return async (batch, context) => {
    try {
      if (batch.undecodable !== undefined) await giveUp(batch, batch.undecodable, context);
      else for (const piece of separateEvents(batch)) await bringIn(piece, context);
      stalls.goesOn(batch);
    } catch (error) {
      if (context.signal.aborted || context.stopping.aborted) stalls.goesOn(batch);
      else stalls.failed(batch, error);
      throw error;
    }
  };

  async function bringIn(batch: Batch, context: Context): Promise<void> {
    const { stopping } = context;
    const delivered = await whileBeating(context, async (signal) => {
      const outcome = await deliver(batch, { signal, stopping });
      const dead = await toLetters(batch, outcome);
      if (dead.length > 0) await bury(batch, dead, { signal, stopping });
      return outcome;
    });
    notice.add(reasonsOf(delivered));
    consumed.add(batch.values.length);
    indexed.add(delivered.indexed);
    existing.add(delivered.existing);
    for (const [reason, count] of delivered.dropped) metrics.of('sink_dropped_total', { reason }).add(count);
    metrics.of('sink_dead_total', { reason: 'invalid' }).add(delivered.invalid.length);
    metrics.of('sink_dead_total', { reason: 'rejected' }).add(delivered.rejected.length);
  }

  /** Yields between records: checking a large one, or thousands, for what may not be stored takes a while. */
  async function toLetters(batch: Batch, { invalid, rejected }: Delivered): Promise<DeadLetter[]> {
    const ofInvalid = await mapInTurns(invalid, ({ at, error }) =>
      toLetter(batch, at, contents.ofInvalid(batch.values.at(at) ?? NOTHING, error)),
    );
    const ofRejected = await mapInTurns(rejected, ({ at, reason }) =>
      toLetter(batch, at, contents.ofRejected(read(batch, at), reason)),
    );
    return [...ofInvalid, ...ofRejected];
  }

  /** A batch that cannot be decoded is dead as a whole. */
  async function giveUp(batch: Batch, undecodable: Undecodable, context: Context): Promise<void> {
    const { stopping } = context;
    const letter = await setAside(batch, undecodable, quarantine);
    await whileBeating(context, (signal) => bury(batch, [letter], { signal, stopping }));
    const { origin, reason } = letter;
    warn(
      `undecodable ${batch.source}`,
      'a batch cannot be decoded: it is given up, and the sink continues after it',
      {
        origin,
        reason,
      },
    );
    consumed.add(recordsIn(undecodable));
    metrics.of('sink_dead_total', { reason: 'undecodable' }).add(recordsIn(undecodable));
  }

  function bury(batch: Batch, letters: DeadLetter[], signals: Signals): Promise<void> {
    return keepTrying(() => deadLetters.add(letters), { ...signals, onFailure });

    function onFailure(error: unknown): void {
      const reason = reasonOf(error);
      const hint = error instanceof KafkaError ? error.hint : undefined;
      stalls.waits(batch, whyNotKept(error));
      warn('dead letters', 'cannot store dead letters, retrying', {
        reason,
        ...(hint !== undefined && { hint }),
      });
    }
  }
}

function toLetter(batch: Batch, at: number, content: LetterContent): DeadLetter {
  return { ...content, origin: `${batch.source}/${batch.position(at)}`, recorded: batch.time?.(at) };
}

/** Only the error type that the index names: its message may quote the document. */
const TYPE_OF_ERROR = /^\w+(?=:|$)/;

function reasonsOf({ invalid, rejected }: Delivered): string[] {
  const types = rejected.map(({ reason }) => TYPE_OF_ERROR.exec(reason)?.[0] ?? 'rejected by the index');
  return [...invalid.map(({ error }) => error.problem), ...types];
}
