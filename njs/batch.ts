import { handOver } from './subrequest.ts';
import { wanted } from './wanted.ts';
import { zoneLineOf } from './zone-line.ts';
import { countersZone, eventsZone } from './zones.ts';

/**
 * Puts the view into the shared zone, from where `flush` posts it among many others. The value of
 * `$hotitem_capture_batch`, as that of `$hotitem_capture`. A view goes by subrequest instead when the zone is full, and
 * when nginx is about to stop (divert.ts).
 */
export function batch(r: NginxHTTPRequest): string {
  const counters = countersZone();
  const way = wanted(r, counters);
  if (way === 0) return '';
  const line = zoneLineOf(r);
  if (!line) return '';

  if (way < 0 || !keep(r.variables.request_id, line)) handOver(r, counters);
  return '1';
}

function keep(id: string | undefined, line: string): boolean {
  const events = eventsZone();
  if (!events || !id) return false;
  try {
    // No counter: what is in the zone is counted by its size, and when it leaves.
    events.set(id, line);
    return true;
  } catch {
    return false;
  }
}
