import type { MetricList } from '../service/metrics.ts';

/** Metrics of webhooks, exported by a sidecar that has any. */
export const WEBHOOK_METRICS = {
  webhook_delivered_total: {
    kind: 'counter',
    help: 'Messages that a webhook accepted',
    labels: ['webhook'],
  },
  webhook_failures_total: {
    kind: 'counter',
    help: 'Failed attempts to deliver a message to a webhook; it is tried again for 15 minutes',
    labels: ['webhook'],
  },
  webhook_dropped_total: {
    kind: 'counter',
    help: 'Messages that a webhook never got, by reason: queue (1,000 wait already), late (for 15 minutes), rejected (answered 400, 410, 413, 415 or 422), stop (of the sidecar)',
    labels: ['webhook', 'reason'],
  },
  webhook_waiting: {
    kind: 'gauge',
    help: 'Messages that wait for a webhook',
    labels: ['webhook'],
  },
} as const satisfies MetricList;
