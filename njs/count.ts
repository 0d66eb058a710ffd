import { noteBusy } from './busy.ts';
import { CAPTURE } from './locations.ts';
import { countersZone } from './zones.ts';

/**
 * Counts what became of a view that the sidecar did not take: `$hotitem_fate` is `spilled` or `dropped`. One that was on
 * its way there says that the sidecar is busy.
 */
export function count(r: NginxHTTPRequest): string {
  const counters = countersZone();
  const fate = r.variables.hotitem_fate;
  if (!counters || !fate) return '';
  counters.incr(fate, 1);
  if (r.uri === CAPTURE) noteBusy(counters);
  return '';
}
