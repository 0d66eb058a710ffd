import type { MetricList } from '../metrics.ts';

/** Metrics of the admin listener, in every service. */
export const ADMIN_METRICS = {
  ready: {
    kind: 'gauge',
    help: '1 while this check of /readyz passes, 0 while it does not; /readyz?verbose says why',
    labels: ['check'],
  },
  admin_refused_total: {
    kind: 'counter',
    help: 'Requests to the admin listener that were rejected, by reason: host, origin, site (sent by another site), method, queue (too many queries), time (the query took too long), connections (too many at once), streams (of the page, in all or for one address); of requests that change something also listener (not loopback), type, query, token, limit (too many wrong tokens), busy, size, json',
    labels: ['reason'],
  },
  admin_connections_closed_total: {
    kind: 'counter',
    help: 'Idle connections to the admin listener that were closed to accept new ones',
  },
  admin_listen_failures_total: {
    kind: 'counter',
    help: 'Attempts to listen on admin.listen, or admin.sink_listen, that failed',
  },
} as const satisfies MetricList;
