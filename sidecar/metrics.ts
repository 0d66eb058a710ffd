import type { MetricList } from '../service/metrics.ts';

/** What the sidecar exports. A retry is not a drop, a duplicate is not a rejection: each has its own counter. */
export const SIDECAR_METRICS = {
  intake_lines_total: {
    kind: 'counter',
    help: 'Lines received, by the way they came: intake (from nginx) or spill (from a file)',
    labels: ['from'],
  },
  intake_accepted_total: {
    kind: 'counter',
    help: 'Lines that became an event and were written to the spool',
    labels: ['from'],
  },
  intake_duplicates_total: {
    kind: 'counter',
    help: 'Lines whose event had been accepted before',
    labels: ['from'],
  },
  intake_bad_lines_total: {
    kind: 'counter',
    help: 'Lines that are no event, kept in rejected.log',
    labels: ['reason'],
  },
  intake_refused_total: {
    kind: 'counter',
    help: 'Requests that nginx was told to spill or give up, by reason',
    labels: ['reason'],
  },
  spill_files: { kind: 'gauge', help: 'Files in the spill folder' },
  spill_waiting_bytes: { kind: 'gauge', help: 'Bytes in the spill folder that are not taken in' },
  spool_bytes: { kind: 'gauge', help: 'Size of the spool on disk' },
  spool_segments: { kind: 'gauge', help: 'Files of the spool' },
  spool_waiting: {
    kind: 'gauge',
    help: 'Events in the spool that this consumer has not dealt with',
    labels: ['consumer'],
  },
  spool_faults_total: {
    kind: 'counter',
    help: 'Damage and write errors met in the spool, by kind',
    labels: ['kind'],
  },
  forwarded_total: { kind: 'counter', help: 'Events acknowledged by Kafka' },
  forward_retries_total: {
    kind: 'counter',
    help: 'Batches that Kafka did not take and that were tried again',
  },
} as const satisfies MetricList;
