/** One query, and what its lines are called: `{{reason}}` is the value of a label. */
export type Query = { expr: string; legend: string };

export type Panel = {
  title: string;
  about: string;
  /** `number`: the last value. `lines`, `stack`: over time. */
  show: 'number' | 'lines' | 'stack';
  /** A unit of Grafana's. */
  unit: string;
  queries: Query[];
  /** Red from here on, and where `below` is set up to here. */
  alarm?: { at: number; below?: true };
  /** Words for values. */
  words?: Record<string, string>;
};

export type Row = { title: string; panels: Panel[] };

/** Of the services that are chosen at the top. */
const CHOSEN = 'instance=~"$instance"';

/** What the dashboard shows, from the verdict down to the processes. */
export const ROWS: Row[] = [
  {
    title: 'Is all well?',
    panels: [
      {
        title: 'Ready',
        about: 'Whether every check of /readyz passes. /readyz?verbose says why not.',
        show: 'number',
        unit: 'none',
        queries: [{ expr: `min by (instance) (${all('ready')})`, legend: '{{instance}}' }],
        alarm: { at: 1, below: true },
        words: { 0: 'NOT READY', 1: 'ready' },
      },
      {
        title: 'Lost views',
        about: 'Lost in the time shown, by reason. Anything but 0 is a fault: see runbook.md.',
        show: 'number',
        unit: 'short',
        queries: [{ expr: `sum by (reason) (delta(${all('lost_views')}[$__range]))`, legend: '{{reason}}' }],
        alarm: { at: 1 },
      },
      {
        title: 'Capture',
        about: 'nginx captures one view in so many; 0: off. NaN: never set, so all.',
        show: 'number',
        unit: 'none',
        queries: [{ expr: `min by (instance) (${all('capture_one_in')})`, legend: '{{instance}}' }],
        words: { 0: 'OFF', 1: 'on' },
      },
      {
        title: 'Waiting',
        about: 'Events that are not in Kafka yet, and that are not in the index yet.',
        show: 'number',
        unit: 'short',
        queries: [
          { expr: `sum(${all('spool_waiting')})`, legend: 'in spools' },
          { expr: `max(${all('sink_waiting')})`, legend: 'before the index' },
        ],
      },
      {
        title: 'Hot items',
        about: 'Hot now, by signal.',
        show: 'number',
        unit: 'short',
        queries: [{ expr: `sum by (signal) (${all('hot_items')})`, legend: '{{signal}}' }],
      },
    ],
  },
  {
    title: 'Capture',
    panels: [
      {
        title: 'Views',
        about: 'Captured by nginx (http-batch.conf), and accepted by sidecars, by where they came from.',
        show: 'lines',
        unit: 'reqps',
        queries: [
          { expr: `sum(${rate('nginx_captured_total')})`, legend: 'captured' },
          { expr: `sum by (from) (${rate('intake_accepted_total')})`, legend: 'from {{from}}' },
        ],
      },
      {
        title: 'Lines that became no event',
        about:
          'Duplicates are harmless. Shed ones are in the weight of others. Bad lines are in rejected.log.',
        show: 'stack',
        unit: 'reqps',
        queries: [
          { expr: `sum(${rate('intake_duplicates_total')})`, legend: 'duplicate' },
          { expr: `sum(${rate('intake_sampled_out_total')})`, legend: 'shed' },
          { expr: `sum by (reason) (${rate('intake_bad_lines_total')})`, legend: 'bad: {{reason}}' },
          { expr: `sum by (reason) (${rate('intake_rejected_total')})`, legend: 'rejected: {{reason}}' },
        ],
      },
      {
        title: 'nginx without a sidecar',
        about:
          'Views that nginx spilled, or lost because the spill folder was full; and those nobody can place.',
        show: 'lines',
        unit: 'short',
        queries: [
          { expr: `sum by (way) (${increase('nginx_spilled_total')})`, legend: 'spilled: {{way}}' },
          { expr: `sum(${increase('nginx_dropped_total')})`, legend: 'dropped' },
          { expr: `sum(${all('nginx_unaccounted')})`, legend: 'unaccounted' },
        ],
      },
      {
        title: 'Spill folder',
        about: 'What waits there for the sidecar.',
        show: 'lines',
        unit: 'bytes',
        queries: [{ expr: `sum by (instance) (${all('spill_waiting_bytes')})`, legend: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'Spool and Kafka',
    panels: [
      {
        title: 'Spool',
        about: 'Of spool.max_bytes. From 80 % on load is shed.',
        show: 'lines',
        unit: 'percentunit',
        queries: [
          {
            expr: `(${all('spool_bytes')} - ${all('spool_retained_bytes')}) / ${all('spool_limit_bytes')}`,
            legend: '{{instance}}',
          },
        ],
        alarm: { at: 0.8 },
      },
      {
        title: 'Events that wait in spools',
        about: 'Not acknowledged by Kafka, or by the index.',
        show: 'lines',
        unit: 'short',
        queries: [{ expr: `sum by (instance, consumer) (${all('spool_waiting')})`, legend: '{{instance}}' }],
      },
      {
        title: 'Forwarded',
        about: 'Events that left the spools: acknowledged, or dead letters.',
        show: 'lines',
        unit: 'eps',
        queries: [
          {
            expr: `sum by (instance, consumer) (${rate('spool_processed_total')})`,
            legend: '{{instance}} to {{consumer}}',
          },
        ],
      },
      {
        title: 'Load shedding',
        about: 'Step 1 to 4 keeps one event in 2, 4, 8, 16; step 5 one in 64.',
        show: 'lines',
        unit: 'none',
        queries: [{ expr: all('shedding_step'), legend: '{{instance}}' }],
        alarm: { at: 1 },
      },
      {
        title: 'Retries and dead letters of Kafka',
        about: 'Requests that failed and were sent again; events that Kafka rejects permanently.',
        show: 'stack',
        unit: 'short',
        queries: [
          { expr: `sum by (reason) (${increase('forward_retries_total')})`, legend: 'retry: {{reason}}' },
          { expr: `sum by (reason) (${increase('forward_dead_total')})`, legend: 'dead: {{reason}}' },
        ],
      },
    ],
  },
  {
    title: 'Index',
    panels: [
      {
        title: 'Events to the index',
        about: 'Read, created, and already there.',
        show: 'lines',
        unit: 'eps',
        queries: [
          { expr: `sum(${rate('sink_consumed_total')})`, legend: 'read' },
          { expr: `sum(${rate('sink_indexed_total')})`, legend: 'created' },
          { expr: `sum(${rate('sink_existing_total')})`, legend: 'already there' },
        ],
      },
      {
        title: 'Behind',
        about: 'Events that the sinks have not indexed yet. Every sink reports the whole group.',
        show: 'lines',
        unit: 'short',
        queries: [
          { expr: `max(${all('sink_waiting')})`, legend: 'events' },
          { expr: `max(${all('decisions_sink_waiting')})`, legend: 'decisions' },
        ],
      },
      {
        title: 'Index accepts',
        about: '0: unavailable, or rejects everything. Events wait.',
        show: 'lines',
        unit: 'none',
        queries: [{ expr: all('sink_index_up'), legend: '{{instance}}' }],
        alarm: { at: 1, below: true },
      },
      {
        title: 'Retries, dead letters, drops',
        about:
          'A dead letter is kept, with its reason. Removed: deleted by the retention of Kafka before it was read.',
        show: 'stack',
        unit: 'short',
        queries: [
          { expr: `sum by (reason) (${increase('sink_retries_total')})`, legend: 'retry: {{reason}}' },
          { expr: `sum by (reason) (${increase('sink_dead_total')})`, legend: 'dead: {{reason}}' },
          { expr: `sum by (reason) (${increase('sink_dropped_total')})`, legend: 'dropped: {{reason}}' },
          { expr: `sum(${increase('sink_removed_total')})`, legend: 'removed' },
        ],
      },
    ],
  },
  {
    title: 'Hot items',
    panels: [
      {
        title: 'Hot items',
        about: 'By signal; and held back by the cap alone.',
        show: 'lines',
        unit: 'short',
        queries: [
          { expr: `sum by (signal) (${all('hot_items')})`, legend: '{{signal}}' },
          { expr: `sum(${all('heat_held')})`, legend: 'held back' },
        ],
      },
      {
        title: 'Decisions',
        about: 'What turned hot, changed or cooled.',
        show: 'stack',
        unit: 'short',
        queries: [
          {
            expr: `sum by (signal, change) (${increase('heat_decisions_total')})`,
            legend: '{{signal}} {{change}}',
          },
        ],
      },
      {
        title: 'Time to a decision',
        about: 'From a view at nginx to the decision that it caused.',
        show: 'lines',
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.5, sum by (le) (${rate('heat_decision_seconds_bucket')}))`,
            legend: 'median',
          },
          {
            expr: `histogram_quantile(0.99, sum by (le) (${rate('heat_decision_seconds_bucket')}))`,
            legend: 'p99',
          },
        ],
      },
      {
        title: 'Age of the hot list',
        about: 'nginx ignores a list that is older than 20 s.',
        show: 'lines',
        unit: 's',
        queries: [{ expr: all('hot_folder_age_seconds'), legend: '{{instance}}' }],
        alarm: { at: 20 },
      },
    ],
  },
  {
    title: 'Pages of hot items',
    panels: [
      {
        title: 'Pages',
        about: 'Kept: nginx shows one to everybody. Refused: it must not be shared.',
        show: 'stack',
        unit: 'short',
        queries: [{ expr: `sum by (state) (${all('protect_items')})`, legend: '{{state}}' }],
      },
      {
        title: 'Requests of shoppers for hot items',
        about:
          'Shared and stale: from the cache. Own, missing and unkept reach the origin. Needs log-shared.conf.',
        show: 'stack',
        unit: 'reqps',
        queries: [{ expr: `sum by (page) (${rate('protect_shoppers_total')})`, legend: '{{page}}' }],
      },
      {
        title: 'Requests that limit.conf checked',
        about:
          'Limited: rejected. Would limit: passed, because limit.conf is a dry run (protect.limit_dry_run). Needs log-shared.conf.',
        show: 'stack',
        unit: 'reqps',
        queries: [{ expr: `sum by (result) (${rate('protect_limit_total')})`, legend: '{{result}}' }],
      },
      {
        title: 'Requests for hot items that ended badly',
        about:
          'Error: 5xx. Not found: 404 or 410. Rejected: 429. Left: the client closed before the end of the answer. Needs log-shared.conf.',
        show: 'stack',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (end) (rate(hotitem_protect_ends_total{end!="ok",${CHOSEN}}[$__rate_interval]))`,
            legend: '{{end}}',
          },
        ],
      },
      {
        title: 'Requests of the keeper',
        about: 'To nginx; probe and fill reach the origin. Failed: no answer, or an error of the origin.',
        show: 'lines',
        unit: 'reqps',
        queries: [
          { expr: `sum by (kind) (${rate('protect_requests_total')})`, legend: '{{kind}}' },
          { expr: `sum(${rate('protect_failures_total')})`, legend: 'failed' },
        ],
      },
      {
        title: 'Time of a refresh',
        about: 'The last one.',
        show: 'lines',
        unit: 's',
        queries: [{ expr: all('protect_refresh_seconds'), legend: '{{instance}}' }],
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'CPU',
        about: 'Of one core.',
        show: 'lines',
        unit: 'percentunit',
        queries: [
          {
            expr: `rate(process_cpu_seconds_total{job=~"hotitem.*",${CHOSEN}}[$__rate_interval])`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Memory',
        about: 'Resident.',
        show: 'lines',
        unit: 'bytes',
        queries: [
          { expr: `process_resident_memory_bytes{job=~"hotitem.*",${CHOSEN}}`, legend: '{{instance}}' },
        ],
      },
      {
        title: 'Event loop',
        about: 'p99 of its delay.',
        show: 'lines',
        unit: 's',
        queries: [
          { expr: `nodejs_eventloop_lag_p99_seconds{job=~"hotitem.*",${CHOSEN}}`, legend: '{{instance}}' },
        ],
      },
      {
        title: 'Browsers on the live page',
        about: 'Streams that are open; 250 at most, 200 of one address.',
        show: 'lines',
        unit: 'short',
        queries: [{ expr: all('live_clients'), legend: '{{instance}}' }],
      },
    ],
  },
];

function all(name: string): string {
  return `hotitem_${name}{${CHOSEN}}`;
}

function rate(name: string): string {
  return `rate(${all(name)}[$__rate_interval])`;
}

function increase(name: string): string {
  return `increase(${all(name)}[$__rate_interval])`;
}
