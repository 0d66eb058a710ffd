import { handOver } from './subrequest.ts';
import { wanted } from './wanted.ts';
import { countersZone, eventsZone } from './zones.ts';

/** What njs makes of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';

/**
 * Puts the view into the shared zone, from where `flush` posts it among many others. The value of
 * `$hotitem_capture_batch`, as that of `$hotitem_capture`. A view goes by subrequest instead when the zone is full, and
 * when its line is not UTF-8: the zone holds text only, and would lose the bytes.
 */
export function batch(r: NginxHTTPRequest): string {
  const counters = countersZone();
  if (!wanted(r, counters)) return '';
  const variables = r.variables;
  const line = variables.hotitem_line;
  if (!line) return '';

  if (hasReplacement(line) || !keep(variables.request_id, line)) handOver(r, counters);
  return '1';
}

/** Each engine by its quickest way: indexOf compares at every character in both. */
function hasReplacement(line: string): boolean {
  if (QUICKJS) return line.replace(REPLACEMENT, '').length < line.length;
  return Buffer.byteLength(line) > line.length && line.indexOf(REPLACEMENT) >= 0;
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
