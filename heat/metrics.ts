import type { MetricList } from '../service/metrics.ts';

/** Metrics of heat detection, exported by a sidecar that has it enabled. */
export const HEAT_METRICS = {
  hot_items: {
    kind: 'gauge',
    help: 'Items that are hot now, by signal: busy (load), surge (people), concentrated (few visitors), pin (by command or rules file)',
    labels: ['signal'],
  },
  heat_decisions_total: {
    kind: 'counter',
    help: 'Decisions, by signal and change: enters (an item turned hot), changes (other rules apply), leaves (it cooled) or held (the cap holds it back)',
    labels: ['signal', 'change'],
  },
  heat_decision_seconds: {
    kind: 'histogram',
    help: 'Time from a view at nginx to the decision, for the oldest view of the batch',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  heat_observed_total: { kind: 'counter', help: 'Views that heat detection observed' },
  heat_late_total: {
    kind: 'counter',
    help: 'Views that detection did not count, because they were more than five minutes old, or more than two seconds ahead of the clock',
  },
  heat_tracked: { kind: 'gauge', help: 'Tracked items, whose views are counted exactly' },
  heat_promoted_total: { kind: 'counter', help: 'Items that became tracked' },
  heat_held: { kind: 'gauge', help: 'Items that are not hot only because of the cap' },
  heat_frozen: { kind: 'gauge', help: '1 while the hot list is frozen: nginx sees no hot item' },
  hot_folder_files: {
    kind: 'gauge',
    help: 'Files of the hot list in the current period: one per hot item, and one per action',
  },
  hot_folder_age_seconds: {
    kind: 'gauge',
    help: 'Time since the last update of the hot list on disk, normally a second at most. nginx ignores a list that is older than 20 s',
  },
  hot_folder_faults_total: {
    kind: 'counter',
    help: 'Failed writes of the hot list: nginx does not see hot items',
  },
  hot_folder_odd_total: {
    kind: 'counter',
    help: 'Foreign files found in the folder of the hot list; they are not changed',
  },
  heat_rules_rejected: {
    kind: 'gauge',
    help: '1 while the rules file is invalid and the previous rules stay in effect',
  },
  heat_failures_total: {
    kind: 'counter',
    help: 'Batches and ticks of heat detection that failed; their views are not counted',
  },
  live_clients: {
    kind: 'gauge',
    help: 'Browsers connected to the stream of the live page, 250 at most',
  },
  live_ended_total: {
    kind: 'counter',
    help: 'Streams of the live page that were ended, by reason: slow (256 KB unread), time (after 15 minutes; the browser connects again), failure (an error in the sidecar)',
    labels: ['reason'],
  },
  heat_tick_seconds: { kind: 'gauge', help: 'Duration of the last tick' },
  heat_tick_longest_seconds: { kind: 'gauge', help: 'Duration of the longest tick' },
} as const satisfies MetricList;

/** What becomes of decisions in a sidecar: decided = told + pending + dropped, each start from what was pending. */
export const DECISION_METRICS = {
  decisions_decided_total: {
    kind: 'counter',
    help: 'Decisions to deliver: changes of items, and repeats',
  },
  decisions_told_total: {
    kind: 'counter',
    help: 'Decisions written to their outbox, from where they are delivered',
  },
  decisions_dropped_total: {
    kind: 'counter',
    help: 'Dropped decisions, by reason: superseded (the outbox was full, and a later decision about the item waits), full (the outbox was full), damaged (not readable after a restart)',
    labels: ['reason'],
  },
  decisions_pending: { kind: 'gauge', help: 'Decisions that are not in the outbox yet' },
  decisions_waiting: { kind: 'gauge', help: 'Decisions in the outbox that are not delivered' },
  decisions_faults_total: {
    kind: 'counter',
    help: 'Damage and write errors found in the outbox, by kind',
    labels: ['kind'],
  },
} as const satisfies MetricList;
