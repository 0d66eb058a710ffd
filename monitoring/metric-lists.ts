import { CATALOGUE_METRICS } from '../catalogue/metrics.ts';
import { DECISION_METRICS, HEAT_METRICS } from '../heat/metrics.ts';
import { PROTECT_METRICS, SHOPPER_METRICS } from '../protect/metrics.ts';
import { ADMIN_METRICS } from '../service/admin/admin-metrics.ts';
import { LOSS_METRICS } from '../service/losses.ts';
import { aboutDecisions, DECISIONS, type MetricList } from '../service/metrics.ts';
import { FORWARD_METRICS, SIDECAR_METRICS } from '../sidecar/metrics.ts';
import { DECISION_SINK_METRICS, SINK_METRICS } from '../sink/metrics.ts';
import { DUCKDB_METRICS } from '../store/duckdb/metrics.ts';
import { WEBHOOK_METRICS } from '../webhooks/metrics.ts';

export type MetricGroup = {
  title: string;
  /** Which process exports it, in one sentence. */
  by: string;
  list: MetricList;
  /** Before the names of the list. */
  prefix?: string;
};

const SINK = 'A sink, and a sidecar without Kafka, which indexes itself.';

/** All metrics of all services, in the order of docs/metrics.md. */
export const METRIC_GROUPS: readonly MetricGroup[] = [
  {
    title: 'Capture, spool, Kafka',
    by: 'The sidecar. `forward_…` and `forwarded_…` stay 0 without Kafka.',
    list: SIDECAR_METRICS,
  },
  { title: 'Losses', by: 'Sidecar and sink, each for its own part of the way.', list: LOSS_METRICS },
  { title: 'Index', by: SINK, list: SINK_METRICS },
  {
    title: 'DuckDB',
    by: 'The process that indexes into DuckDB: sidecar or sink, without Elasticsearch.',
    list: DUCKDB_METRICS,
  },
  { title: 'Hot items', by: 'The sidecar, unless `heat.enabled` is false.', list: HEAT_METRICS },
  {
    title: 'Pages of hot items',
    by: 'The sidecar, if `protect.hosts` names a host.',
    list: PROTECT_METRICS,
  },
  {
    title: 'Requests for hot items',
    by: 'The sidecar, unless `heat.enabled` is false; without values where nginx does not log these requests (`log-shared.conf`).',
    list: SHOPPER_METRICS,
  },
  {
    title: 'Webhooks',
    by: 'The sidecar, unless `heat.enabled` is false; without values if no webhook is configured.',
    list: WEBHOOK_METRICS,
  },
  { title: 'Decisions', by: 'The sidecar, unless `heat.enabled` is false.', list: DECISION_METRICS },
  {
    title: 'Decisions to Kafka',
    by: 'The same, with Kafka.',
    list: aboutDecisions(FORWARD_METRICS),
    prefix: DECISIONS,
  },
  { title: 'Decisions to the index', by: SINK, list: DECISION_SINK_METRICS, prefix: DECISIONS },
  { title: 'Catalogue', by: 'Sidecar and sink, if `catalogue.file` is set.', list: CATALOGUE_METRICS },
  { title: 'Readiness and admin listener', by: 'Sidecar and sink.', list: ADMIN_METRICS },
];
