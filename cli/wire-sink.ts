import type { Registry } from 'prom-client';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import { createMetrics, type Metrics } from '../service/metrics.ts';
import { SINK_METRICS } from '../sink/metrics.ts';
import { type SinkOptions, startSink } from '../sink/sink.ts';
import { createDeadLetterTopic } from '../store/dead-letters.ts';
import type { EventIndex } from '../store/event-index.ts';
import { createKafkaLog } from '../store/kafka-log.ts';
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

/** Starts a sink, stopped with everything else. Goes on trying while its log is away. */
export function wireSink(core: Core, options: Omit<SinkOptions, 'batchEvents' | 'warn'>): void {
  const { config, shutdown, warn, graceMs } = core;
  const stopping = new AbortController();
  const consumer = keepTrying(() => startSink({ ...options, batchEvents: config.sink.batch_events, warn }), {
    signal: stopping.signal,
    onFailure: (error) => warn('sink', 'the sink cannot read its log yet', { reason: reasonOf(error) }),
  }).catch(() => undefined);
  shutdown.add('sink', async () => {
    stopping.abort();
    await (await consumer)?.close(graceMs);
  });
}

/** Kafka → index: what `hotitem sink` runs. */
export function wireKafkaSink(core: Core, index: EventIndex, { metrics }: SinkMeters): void {
  const { config, shutdown } = core;
  const client = connectKafka(core);
  shutdown.add('kafka client', () => client.close());
  const { topic, dead_letter_topic, group } = config.kafka;
  const log = createKafkaLog({ client, topic, concurrency: config.sink.concurrency, headers: {} });
  const deadLetters = createDeadLetterTopic(client, dead_letter_topic, core.now);
  wireSink(core, { log, cursor: group, index, deadLetters, metrics });
}
