import type { MetricList } from '../../service/metrics.ts';

/** Of the process that has the DuckDB file open. */
export const DUCKDB_METRICS = {
  duckdb_failures_total: {
    kind: 'counter',
    help: 'Background work on the DuckDB file that failed and is tried again, by work: close (a span of time was not prepared for questions over weeks, which take longer) or retain (old events were not deleted)',
    labels: ['work'],
  },
} as const satisfies MetricList;
