import type { MetricList } from '../service/metrics.ts';

/** What a sink exports. consumed = indexed + already there + dropped + dead, once nothing is in hand. */
export const SINK_METRICS = {
  sink_consumed_total: { kind: 'counter', help: 'Events read from the log and dealt with' },
  sink_indexed_total: { kind: 'counter', help: 'Events created in the index' },
  sink_existing_total: { kind: 'counter', help: 'Events that were in the index already' },
  sink_dropped_total: {
    kind: 'counter',
    help: 'Events that the index takes and leaves out, by who decided: an ingest pipeline',
    labels: ['reason'],
  },
  sink_dead_total: { kind: 'counter', help: 'Records given up, kept as dead letters', labels: ['reason'] },
  sink_dead_dropped_total: {
    kind: 'counter',
    help: 'Dead letters that are gone without anybody deleting them: rolled (the second of two full files gave way)',
    labels: ['reason'],
  },
  sink_retries_total: {
    kind: 'counter',
    help: 'Requests to the index that are tried again, by reason',
    labels: ['reason'],
  },
  sink_removed_total: {
    kind: 'counter',
    help: 'Records that Kafka had removed before this sink had read them',
  },
  sink_offset_resets_total: {
    kind: 'counter',
    help: 'Times that a partition no longer had what was to be read next, and reading went on with its oldest record',
  },
  sink_index_up: {
    kind: 'gauge',
    help: '1 while the index takes events, 0 while it is unavailable or refuses all',
  },
  sink_batch_events: {
    kind: 'gauge',
    help: 'Events in one request to the index; shrinks when it is overloaded',
  },
} as const satisfies MetricList;
