import { divertFromFull } from './divert.ts';
import { handOver } from './subrequest.ts';
import { wanted } from './wanted.ts';
import { zoneLineOf } from './zone-line.ts';
import { countersZone, eventsZone } from './zones.ts';

/**
 * Puts the view into the shared zone; `flush` posts it with many others. This is the value of `$hotitem_capture_batch`, the same as that of
 * `$hotitem_capture`. A view goes by subrequest instead if the zone is full, or if nginx is about to stop (divert.ts).
 */
export function batch(r: NginxHTTPRequest): string {
  const counters = countersZone();
  const way = wanted(r, counters);
  if (way === 0) return '';
  const line = zoneLineOf(r);
  if (!line) return '';

  if (way > 0 && keep(r.variables.request_id, line)) return '1';
  if (way > 0 && counters) divertFromFull(r, counters);
  handOver(r, counters);
  return '1';
}

function keep(id: string | undefined, line: string): boolean {
  const events = eventsZone();
  if (!events || !id) return false;
  try {
    // Not counted here: the zone is counted by its size, and when views leave it.
    events.set(id, line);
    return true;
  } catch {
    return false;
  }
}
