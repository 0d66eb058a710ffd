import type { Registry } from 'prom-client';
import type { Check } from '../service/admin.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import { createMetrics, type Metrics } from '../service/metrics.ts';
import { SINK_METRICS } from '../sink/metrics.ts';
import { type SinkOptions, startSink } from '../sink/sink.ts';
import { createDeadLetterTopic } from '../store/dead-letters.ts';
import type { EventIndex } from '../store/event-index.ts';
import { createKafkaLog } from '../store/kafka-log.ts';
import type { Consumer } from '../store/log.ts';
import { type Core, connectKafka } from './core.ts';

/** A sink's books since it started: consumed = indexed + existing + dead. */
export type SinkAccounts = { consumed: number; indexed: number; existing: number; dead: number };

export type SinkMeters = { metrics: Metrics<typeof SINK_METRICS>; accounts: () => SinkAccounts };

export function createSinkMeters(registry: Registry): SinkMeters {
  const metrics = createMetrics(registry, SINK_METRICS);
  return {
    metrics,
    accounts: () => ({
      consumed: metrics.of('sink_consumed_total').value(),
      indexed: metrics.of('sink_indexed_total').value(),
      existing: metrics.of('sink_existing_total').value(),
      dead:
        metrics.of('sink_dead_total', { reason: 'invalid' }).value() +
        metrics.of('sink_dead_total', { reason: 'rejected' }).value(),
    }),
  };
}

/** Starts a sink, stopped with everything else. Goes on trying while its log is away. Returns whether it runs. */
export function wireSink(core: Core, options: Omit<SinkOptions, 'batchEvents' | 'warn'>): Check {
  const { config, shutdown, warn, graceMs } = core;
  const stopping = new AbortController();
  let consumer: Consumer | undefined;
  const started = keepTrying(start, {
    signal: stopping.signal,
    onFailure: (error) => warn('sink', 'the sink cannot read its log yet', { reason: reasonOf(error) }),
  }).catch(() => {});
  shutdown.add('sink', async () => {
    stopping.abort();
    await started;
    await consumer?.close(graceMs);
  });
  return {
    name: 'sink',
    ready: () => (consumer === undefined ? 'it cannot read its log yet' : (consumer.failure() ?? true)),
  };

  /** One that comes up after everything else has stopped must not stay in the group. */
  async function start(): Promise<void> {
    const begun = await startSink({ ...options, batchEvents: config.sink.batch_events, warn });
    if (stopping.signal.aborted) await begun.close(0);
    else consumer = begun;
  }
}

/** Kafka → index: what `hotitem sink` runs. Returns whether it does. */
export function wireKafkaSink(core: Core, index: EventIndex, { metrics }: SinkMeters): Check {
  const { config, shutdown } = core;
  const client = connectKafka(core);
  shutdown.add('kafka client', () => client.close());
  const { topic, dead_letter_topic, group } = config.kafka;
  const log = createKafkaLog({ client, topic, concurrency: config.sink.concurrency, headers: {} });
  const deadLetters = createDeadLetterTopic(client, dead_letter_topic, core.now);
  return wireSink(core, { log, cursor: group, index, deadLetters, metrics });
}
