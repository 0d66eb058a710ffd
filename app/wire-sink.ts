import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { createRedaction, keepsEverything, type RedactionOptions } from '../event/redaction.ts';
import { toRemovedLetter } from '../reconcile/removed-unread.ts';
import type { Check } from '../service/admin/admin.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { LossSource } from '../service/losses.ts';
import { createMetrics, type Metrics } from '../service/metrics.ts';
import { createOutage, type Outage } from '../service/outage.ts';
import { SINK_METRICS } from '../sink/metrics.ts';
import { type SinkOptions, startSink } from '../sink/sink.ts';
import { createDeadLetterTopic } from '../store/dead-letters/dead-letters.ts';
import type { EventIndex } from '../store/event-index.ts';
import type { Consumer } from '../store/event-log.ts';
import type { RemovedRange } from '../store/history.ts';
import { KafkaError } from '../store/kafka/error.ts';
import { createResets, type OffsetReset } from '../store/kafka/offset-reset.ts';
import { createQuarantine } from '../store/kafka/quarantine.ts';
import { createKafkaLog } from '../store/kafka/topic-log.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';

/** The accounting of a sink since it started. It balances when `unaccounted` is 0. */
export type SinkAccounts = {
  /** Records dealt with, of which… */
  consumed: number;
  /** …these were created in the index, */
  indexed: number;
  /** these had been there, */
  existing: number;
  /** these the index takes and leaves out, */
  dropped: number;
  /** and these are dead letters. */
  dead: number;
  /** consumed − indexed − existing − dropped − dead */
  unaccounted: number;
};

export type SinkMeters = {
  metrics: Metrics<typeof SINK_METRICS>;
  outage: Outage;
  accounts: () => SinkAccounts;
  /** What it cannot bring back. */
  losses: LossSource[];
};

export function createSinkMeters(registry: Registry, now: () => number): SinkMeters {
  const metrics = createMetrics(registry, SINK_METRICS);
  return {
    metrics,
    outage: createOutage(now),
    losses: [
      { reason: 'removed', total: () => metrics.of('sink_removed_total').value() },
      { reason: 'dead_letters_rolled', total: () => metrics.sum('sink_dead_dropped_total') },
    ],
    accounts() {
      const consumed = metrics.of('sink_consumed_total').value();
      const indexed = metrics.of('sink_indexed_total').value();
      const existing = metrics.of('sink_existing_total').value();
      const dropped = metrics.sum('sink_dropped_total');
      const dead = metrics.sum('sink_dead_total');
      const unaccounted = consumed - indexed - existing - dropped - dead;
      return { consumed, indexed, existing, dropped, dead, unaccounted };
    },
  };
}

/** What of a sink is not configured. */
type Wired = Pick<SinkOptions, 'log' | 'cursor' | 'index' | 'deadLetters' | 'metrics' | 'outage'>;

/** Starts a sink, stopped with everything else. Retries while its log is unavailable. Returns whether it runs. */
export function wireSink(core: Core, options: Wired): Check {
  const { config, shutdown, warn, graceMs } = core;
  const { batch_events, requests, article_time_zone } = config.sink;
  const { ip, ip_salt } = config.privacy;
  const privacy: RedactionOptions = { ip: { mode: ip, salt: ip_salt }, omit: config.event.omit };
  const keepsAll = keepsEverything(privacy);
  // A batch that cannot be decoded may contain anything about a visitor.
  const quarantine = keepsAll ? createQuarantine(join(config.home, 'quarantine')) : undefined;
  const { index, metrics } = options;
  // Also while there is nothing to create.
  if (index.failure !== undefined)
    metrics.of('sink_index_up').follow(() => (index.failure?.() === undefined ? 1 : 0));
  const stopping = new AbortController();
  let consumer: Consumer | undefined;
  let refusal: string | undefined;
  let notYet = 'it cannot read its log yet';
  const started = keepTrying(start, {
    signal: stopping.signal,
    onFailure: (error) => {
      const reason = reasonOf(error);
      options.outage.fails(reason, error instanceof KafkaError ? error.hint : undefined);
      notYet = `it cannot read its log yet: ${reason}`;
      warn('sink', 'the sink cannot read its log yet', { reason });
    },
  }).catch(() => {});
  shutdown.add('sink', async () => {
    stopping.abort();
    await started;
    await consumer?.close(graceMs);
  });
  return {
    name: 'sink',
    ready: () => (consumer === undefined ? notYet : (consumer.failure() ?? refused())),
  };

  function refused(): true | string {
    return refusal === undefined ? true : `the index rejects everything: ${refusal}`;
  }

  /** One that comes up after everything else has stopped must not stay in the group. */
  async function start(): Promise<void> {
    const begun = await startSink({
      ...options,
      quarantine,
      batchEvents: batch_events,
      requests,
      articleTimeZone: article_time_zone,
      redact: createRedaction(privacy),
      keepsAll,
      warn,
      say: (fields, message) => core.log.warn(fields, message),
      onRefusal: (reason) => {
        refusal = reason;
      },
    });
    if (stopping.signal.aborted) await begun.close(0);
    else consumer = begun;
    options.outage.works();
  }
}

/** Kafka → index: what `hotitem sink` runs. Returns whether it does. */
export async function wireKafkaSink(
  core: Core,
  index: EventIndex,
  { metrics, outage }: SinkMeters,
): Promise<Check> {
  const { config, shutdown, warn } = core;
  const client = await connectKafka(core);
  shutdown.add('kafka client', () => client.close());
  const { topic, dead_letter_topic, group } = config.kafka;
  const stopping = new AbortController();
  shutdown.add('letters of what was removed', async () => stopping.abort());
  const passedOver = createResets();
  const log = createKafkaLog({ client, topic, concurrency: config.sink.concurrency, headers: {}, onReset });
  const deadLetters = createDeadLetterTopic(client, dead_letter_topic, core.now);
  return wireSink(core, { log, cursor: group, index, deadLetters, metrics, outage });

  function onReset(reset: OffsetReset): void {
    const { partition, from, to } = reset;
    const count = Number(passedOver(reset));
    metrics.of('sink_offset_resets_total').add();
    metrics.of('sink_removed_total').add(count);
    warn(
      `offsets ${partition}`,
      count > 0
        ? 'Kafka deleted records before this sink had read them; it continues at the oldest record'
        : 'a partition no longer has the next offset; the sink continues at its oldest record',
      { partition: `${topic}/${partition}`, from: String(from), to: String(to), removed: count },
    );
    if (count === 0) return;
    const first = to - BigInt(count);
    keep({ source: `${topic}/${partition}`, first: String(first), last: String(to - 1n) });
  }

  /** For `hotitem verify`: once the group has moved on, Kafka says nothing about it any more. */
  function keep(range: RemovedRange): void {
    keepTrying(() => deadLetters.add([toRemovedLetter(range)]), {
      signal: stopping.signal,
      onFailure: (error) =>
        warn('removed', 'cannot store the dead letter for records that Kafka deleted, retrying', {
          reason: reasonOf(error),
        }),
    }).catch(() => {});
  }
}
