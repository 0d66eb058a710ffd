import type { MetricList } from '../service/metrics.ts';

/** What the sidecar exports. A retry is not a drop, a duplicate is not a rejection: each has its own counter. */
export const SIDECAR_METRICS = {
  intake_lines_total: {
    kind: 'counter',
    help: 'Lines received, by the way they came: intake (posted by nginx), spill or log (from a file)',
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
  intake_sampled_out_total: {
    kind: 'counter',
    help: 'Lines whose event was not kept because the spool fills: the weights of those that were kept stand for them',
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
  spill_odd: {
    kind: 'gauge',
    help: 'What lies in the spill folder and is not read, because nginx did not write it there, by reason: name, link, type, hard_link, owner, sparse, unreadable; or slowly: junk',
    labels: ['reason'],
  },
  spill_full: { kind: 'gauge', help: '1 while the spill folder holds as much as it may' },
  spill_waiting_bytes: { kind: 'gauge', help: 'Bytes in the spill folder that are not taken in' },
  capture_one_in: {
    kind: 'gauge',
    help: 'Views behind one that nginx is told to capture: 1 on, 0 off; NaN while nobody has said anything',
  },
  nginx_up: { kind: 'gauge', help: '1 while nginx reports (http-batch.conf)' },
  nginx_captured_total: {
    kind: 'counter',
    help: 'Views that nginx captured, every nginx beside this sidecar',
  },
  nginx_buffered: { kind: 'gauge', help: 'Views that wait in the shared zone of nginx' },
  nginx_spilled_total: {
    kind: 'counter',
    help: 'Views that nginx wrote to a file, because the sidecar was known to be away or because handing over failed',
    labels: ['way'],
  },
  nginx_dropped_total: {
    kind: 'counter',
    help: 'Views that nginx lost, for want of room in the spill folder',
  },
  nginx_spill_full_total: { kind: 'counter', help: 'Times that nginx found the spill folder full' },
  nginx_unaccounted: {
    kind: 'gauge',
    help: 'Views that nginx captured and that are nowhere; 0 at rest, under load those on their way',
  },
  spool_bytes: { kind: 'gauge', help: 'Size of the spool on disk' },
  spool_retained_bytes: {
    kind: 'gauge',
    help: 'Of these, delivered and kept for a replay; given up when room is needed',
  },
  spool_segments: { kind: 'gauge', help: 'Files of the spool' },
  ladder_step: {
    kind: 'gauge',
    help: 'How much is left out while the spool fills: 0 nothing, 1 to 4 one event in 2 to 16 is kept, 5 one in 64 and bare',
  },
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
    help: 'Requests that Kafka did not take and that were sent again, whole or in halves',
    labels: ['reason'],
  },
  forward_dead_total: {
    kind: 'counter',
    help: 'Events that Kafka refuses for what they are, kept as dead letters',
    labels: ['reason'],
  },
  ranking_questions: {
    kind: 'gauge',
    help: 'Questions for a ranking: running in the index, and waiting for it',
    labels: ['state'],
  },
} as const satisfies MetricList;
