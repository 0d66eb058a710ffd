import { countersZone } from './zones.ts';

/**
 * Counts a view as spilled if its page is logged before its subrequest has ended: the client closed the connection. The value of
 * `$hotitem_cut_off` is always `1`, so log-cut.conf writes the view to the spill file.
 */
export function cutOff(): string {
  const counters = countersZone();
  if (counters) counters.incr('spilled', 1);
  return '1';
}
