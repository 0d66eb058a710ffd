import type { MetricList } from '../service/metrics.ts';

/** What a sidecar exports of the pages that it has nginx keep. */
export const PROTECT_METRICS = {
  protect_items: {
    kind: 'gauge',
    help: 'Hot items with the action cache, by state: waiting (its address is not known, or it waits for its turn), kept (nginx shows its page to everybody), refused (its page differs, or must not be shared)',
    labels: ['state'],
  },
  protect_requests_total: {
    kind: 'counter',
    help: 'Requests to nginx for pages of hot items, by kind: probe and fill reach the origin, look does not',
    labels: ['kind'],
  },
  protect_failures_total: {
    kind: 'counter',
    help: 'Of these, without an answer, or with an error of the origin',
  },
  protect_refused_total: { kind: 'counter', help: 'Times that a page was found to be unfit to be shared' },
  protect_dropped_total: {
    kind: 'counter',
    help: 'Pages that were kept, and are not any more because they became unfit or could not be refreshed',
  },
  protect_refresh_seconds: { kind: 'gauge', help: 'How long the last refresh of a page took' },
  protect_reachable: {
    kind: 'gauge',
    help: "1 while nginx answers on its listener for the sidecar's requests",
  },
} as const satisfies MetricList;
