import { isAhead } from './ahead.ts';
import { askSidecar } from './sidecar.ts';
import { linesToBody } from './zone-line.ts';
import { remove } from './zone-remove.ts';
import { countersZone, eventsZone } from './zones.ts';

/** Below the time between two posts: after one failure, none is left out. */
const SHORTEST_BACK_OFF_MS = 150;
const LONGEST_BACK_OFF_MS = 5000;
const MOST_LINES = 1000;
/** Maximum duration of a run, which leaves time for a slow sidecar. */
const LONGEST_RUN_MS = 1_000;

/**
 * Posts the lines in the zone, up to 1,000 at once, until `end`. A line leaves the zone when the sidecar has stored it, or has rejected it
 * as invalid. Never rejects; remaining lines are posted later.
 */
export async function post(session: NginxPeriodicSession, end: number): Promise<void> {
  try {
    await postAll(session, end);
  } catch {
    failed();
  }
}

/** Whether an attempt is useless now: the sidecar is known to be unavailable, or has just failed. */
export function isWaiting(counters: NgxSharedDict<number>): boolean {
  return counters.get('away') !== undefined || isAhead(counters.get('retry_at'), LONGEST_BACK_OFF_MS);
}

async function postAll(session: NginxPeriodicSession, end: number): Promise<void> {
  const counters = countersZone();
  const events = eventsZone();
  // Checked before the zone is read: reading a full one in vain would delay the pages of this worker.
  if (!counters || !events || isWaiting(counters)) return;
  while (isAhead(end, LONGEST_RUN_MS)) {
    const most = counters.get('batch') || MOST_LINES;
    const lines = events.items(most);
    if (lines.length === 0) {
      counters.delete('stuck_at');
      return;
    }
    const ask = { method: 'POST', path: '/v1/lines', body: linesToBody(lines) } as const;
    const reply = await askSidecar(session, ask);
    const status = reply.status;
    // 400: all lines are invalid. The sidecar has counted them, and would reject them again.
    if (status === 204 || status === 400) remove(lines, ['flushed']);
    else if (status === 413 && lines.length === 1) remove(lines, ['dropped']);
    else if (status === 413) counters.set('batch', Math.ceil(lines.length / 2));
    else return failed();
    if (status === 204 && most < MOST_LINES) counters.set('batch', Math.min(most * 2, MOST_LINES));
    if (counters.get('back_off')) counters.delete('back_off');
    counters.delete('stuck_at');
    // The rest can wait for further views.
    if (status === 204 && lines.length < most) return;
  }
}

/** Sends fewer lines at the next attempt, and later: the sidecar may be slow rather than unavailable. */
function failed(): void {
  const counters = countersZone();
  if (!counters) return;
  const backOff = Math.min((counters.get('back_off') || SHORTEST_BACK_OFF_MS / 2) * 2, LONGEST_BACK_OFF_MS);
  counters.set('back_off', backOff);
  counters.set('retry_at', Date.now() + backOff);
  counters.set('batch', Math.max(1, Math.ceil((counters.get('batch') || MOST_LINES) / 2)));
}
