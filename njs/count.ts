import { noteBusy } from './busy.ts';
import { CAPTURE } from './locations.ts';
import { countersZone } from './zones.ts';

/** Counts a view that the sidecar did not receive: `$hotitem_fate` is `spilled` or `dropped`. If it was on its way, the sidecar is busy. */
export function count(r: NginxHTTPRequest): string {
  const counters = countersZone();
  const fate = r.variables.hotitem_fate;
  if (!counters || !fate) return '';
  counters.incr(fate, 1);
  if (r.uri === CAPTURE) noteBusy(counters);
  return '';
}
