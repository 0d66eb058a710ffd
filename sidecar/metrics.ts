import type { MetricList } from '../service/metrics.ts';

/** What a forwarder to Kafka counts. */
export const FORWARD_METRICS = {
  forwarded_total: { kind: 'counter', help: 'Events acknowledged by Kafka' },
  forward_retries_total: {
    kind: 'counter',
    help: 'Requests to Kafka that failed and were sent again, whole or in halves',
    labels: ['reason'],
  },
  forward_dead_total: {
    kind: 'counter',
    help: 'Events that Kafka rejects permanently, stored as dead letters',
    labels: ['reason'],
  },
} as const satisfies MetricList;

/** Metrics of the sidecar. A retry is not a drop, and a duplicate is not a rejection: each has its own counter. */
export const SIDECAR_METRICS = {
  intake_lines_total: {
    kind: 'counter',
    help: 'Lines received, by origin: intake (posted by nginx), spill or log (read from a file)',
    labels: ['from'],
  },
  intake_accepted_total: {
    kind: 'counter',
    help: 'Lines that became an event and were written to the spool',
    labels: ['from'],
  },
  intake_duplicates_total: {
    kind: 'counter',
    help: 'Lines whose event was already accepted',
    labels: ['from'],
  },
  intake_sampled_out_total: {
    kind: 'counter',
    help: 'Events that load shedding dropped; the weights of the kept events include them',
    labels: ['from'],
  },
  intake_bad_lines_total: {
    kind: 'counter',
    help: 'Lines that are not events, stored in rejected.log',
    labels: ['reason'],
  },
  intake_rejected_total: {
    kind: 'counter',
    help: 'Rejected requests of nginx, by reason; nginx writes their lines to spill files, except invalid ones',
    labels: ['reason'],
  },
  spill_files: { kind: 'gauge', help: 'Files in the spill folder' },
  spill_odd: {
    kind: 'gauge',
    help: 'Entries of the spill folder that are not read, because nginx did not write them, by reason: name, link, type, hard_link, owner, sparse, unreadable; or that are read slowly: junk',
    labels: ['reason'],
  },
  spill_full: { kind: 'gauge', help: '1 while the spill folder holds spill.max_bytes' },
  spill_waiting_bytes: {
    kind: 'gauge',
    help: 'Bytes of views in the spill folder that are not ingested yet',
  },
  capture_one_in: {
    kind: 'gauge',
    help: 'Capture mode that nginx gets from the sidecar: 1 on, 0 off, N one view in N; NaN if never set',
  },
  nginx_up: { kind: 'gauge', help: '1 while nginx reports its counters (http-batch.conf)' },
  nginx_captured_total: {
    kind: 'counter',
    help: 'Views captured by all nginx instances of this sidecar',
  },
  nginx_buffered: { kind: 'gauge', help: 'Views waiting in the shared zone of nginx' },
  nginx_spilled_total: {
    kind: 'counter',
    help: 'Views that nginx wrote to a spill file: away (the sidecar was known to be unavailable) or failed (the request failed)',
    labels: ['way'],
  },
  nginx_dropped_total: {
    kind: 'counter',
    help: 'Views that nginx lost because the spill folder was full',
  },
  nginx_spill_full_total: { kind: 'counter', help: 'Times that nginx found the spill folder full' },
  nginx_unaccounted: {
    kind: 'gauge',
    help: 'Captured views that are missing: not ingested, not waiting, not dropped; under load, this includes views in flight',
  },
  spool_bytes: { kind: 'gauge', help: 'Size of the spool on disk' },
  spool_limit_bytes: { kind: 'gauge', help: 'Its limit: spool.max_bytes' },
  spool_retained_bytes: {
    kind: 'gauge',
    help: 'Part of it that is delivered and kept for replay; deleted when space is needed',
  },
  spool_segments: { kind: 'gauge', help: 'Segment files of the spool' },
  shedding_step: {
    kind: 'gauge',
    help: 'Load shedding: 0 none; 1 to 4 keep one event in 2, 4, 8 or 16; 5 keeps one in 64, with only the fields needed for counts',
  },
  spool_waiting: {
    kind: 'gauge',
    help: 'Events in the spool that this consumer has not processed',
    labels: ['consumer'],
  },
  spool_processed_total: {
    kind: 'counter',
    help: 'Events of the spool that this consumer has processed since the spool was created: acknowledged by Kafka or in the index, or stored as dead letters',
    labels: ['consumer'],
  },
  spool_faults_total: {
    kind: 'counter',
    help: 'Damage and write errors found in the spool, by kind',
    labels: ['kind'],
  },
  ...FORWARD_METRICS,
  ranking_questions: {
    kind: 'gauge',
    help: 'Ranking queries: running in the index, and waiting',
    labels: ['state'],
  },
} as const satisfies MetricList;
