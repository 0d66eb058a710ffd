import type { MetricList } from '../metrics.ts';

/** What the listener for people and monitoring exports, in every service. */
export const ADMIN_METRICS = {
  admin_refused_total: {
    kind: 'counter',
    help: 'Requests to the admin listener that were not answered, by reason: host, origin, site (of another site), method, queue (too many questions), time (a question took too long)',
    labels: ['reason'],
  },
  admin_connections_closed_total: {
    kind: 'counter',
    help: 'Connections to the admin listener that were closed to let others in',
  },
  admin_listen_failures_total: {
    kind: 'counter',
    help: 'Attempts to listen on admin.listen, or admin.sink_listen, that failed',
  },
} as const satisfies MetricList;
