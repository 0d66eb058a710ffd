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
    help: 'Failed attempts to deliver a message to a webhook; retried for 15 minutes',
    labels: ['webhook'],
  },
  webhook_dropped_total: {
    kind: 'counter',
    help: 'Dropped messages, by reason: queue (1,000 were waiting), late (not delivered within 15 minutes), rejected (answered 400, 410, 413, 415 or 422), stop (the sidecar stopped)',
    labels: ['webhook', 'reason'],
  },
  webhook_waiting: {
    kind: 'gauge',
    help: 'Messages that wait for a webhook',
    labels: ['webhook'],
  },
} as const satisfies MetricList;
