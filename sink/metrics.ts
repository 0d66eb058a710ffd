import { aboutDecisions, type MetricList } from '../service/metrics.ts';

/** Metrics of a sink. consumed = indexed + already there + dropped + dead, once nothing is in flight. */
export const SINK_METRICS = {
  sink_consumed_total: { kind: 'counter', help: 'Events read from the log and processed' },
  sink_waiting: {
    kind: 'gauge',
    help: 'Events in the log that the whole group has not committed, updated every 15 s; NaN while Kafka does not answer',
  },
  sink_indexed_total: { kind: 'counter', help: 'Events created in the index' },
  sink_existing_total: { kind: 'counter', help: 'Events that were already in the index' },
  sink_dropped_total: {
    kind: 'counter',
    help: 'Events that were read but not indexed, by reason: pipeline (dropped by an ingest pipeline), tombstone (a decision without a value)',
    labels: ['reason'],
  },
  sink_dead_total: { kind: 'counter', help: 'Records given up, stored as dead letters', labels: ['reason'] },
  sink_dead_dropped_total: {
    kind: 'counter',
    help: 'Lost dead letters, by reason: rolled (the older of two full files was deleted)',
    labels: ['reason'],
  },
  sink_retries_total: {
    kind: 'counter',
    help: 'Requests to the index that were retried, by reason',
    labels: ['reason'],
  },
  sink_removed_total: {
    kind: 'counter',
    help: 'Records that Kafka deleted before this sink had read them',
  },
  sink_offset_resets_total: {
    kind: 'counter',
    help: 'Times that the next offset was no longer in a partition, and reading continued at its oldest record',
  },
  sink_index_up: {
    kind: 'gauge',
    help: '1 while the index accepts events, 0 while it is unavailable or rejects all',
  },
  sink_batch_events: {
    kind: 'gauge',
    help: 'Events per request to the index; shrinks while the index is overloaded',
  },
} as const satisfies MetricList;

/** The same of a sink of decisions. */
export const DECISION_SINK_METRICS: typeof SINK_METRICS = aboutDecisions(SINK_METRICS);
