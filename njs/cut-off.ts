import { countersZone } from './zones.ts';

/**
 * Counts, as spilled, a view that is logged and whose subrequest has not ended: its client has closed the connection. The value
 * of `$hotitem_cut_off`, always `1`, so that log-cut.conf writes the view to the spill file.
 */
export function cutOff(): string {
  const counters = countersZone();
  if (counters) counters.incr('spilled', 1);
  return '1';
}
