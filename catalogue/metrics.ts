import type { MetricList } from '../service/metrics.ts';

/** Metrics of the catalogue, exported by a sidecar and a sink that have `catalogue.file`. */
export const CATALOGUE_METRICS = {
  catalogue_rows: { kind: 'gauge', help: 'Items of the catalogue in effect; 0 while there is none' },
  catalogue_rejected_rows: {
    kind: 'gauge',
    help: 'Invalid rows of its file, which were skipped',
  },
  catalogue_dropped_images: {
    kind: 'gauge',
    help: 'Images of its items that are not shown: not https, or of no host in catalogue.image_hosts',
  },
  catalogue_bytes: { kind: 'gauge', help: 'Memory that the catalogue in effect takes' },
  catalogue_age_seconds: {
    kind: 'gauge',
    help: 'Time since the file of the catalogue in effect was written; 0 while there is none',
  },
  catalogue_failed: {
    kind: 'gauge',
    help: '1 while the current file cannot be used; the catalogue before it, if any, stays in effect',
  },
  catalogue_loading: {
    kind: 'gauge',
    help: '1 after a start, until the file is loaded or cannot be used',
  },
  catalogue_loads_total: {
    kind: 'counter',
    help: 'Attempts to load the file, by outcome: loaded or failed',
    labels: ['outcome'],
  },
} as const satisfies MetricList;
