import { countersZone } from './zones.ts';

/** Counts what became of a view that the sidecar did not take: `$hotitem_fate` is `spilled` or `dropped`. */
export function count(r: NginxHTTPRequest): string {
  const counters = countersZone();
  const fate = r.variables.hotitem_fate;
  if (counters && fate) counters.incr(fate, 1);
  return '';
}
