import { isAhead } from './ahead.ts';
import { askSidecar } from './sidecar.ts';
import { linesToBody } from './zone-line.ts';
import { countersZone, eventsZone } from './zones.ts';

/** The last post of a run starts before this, ms: with js_fetch_timeout it ends within the interval of one second. */
const RUN_MS = 750;
const PAUSE_MS = 200;
const MOST_LINES = 1000;
const LONGEST_BACK_OFF_MS = 5000;

/**
 * Posts what is in the zone to the sidecar, every 200 ms, up to 1,000 lines at once. A line leaves the zone when the
 * sidecar has it on disk, or has said that it is none. Runs in one worker; around a reload in two, which may post a line
 * twice: the sidecar knows it by its id.
 */
export async function flush(session: NginxPeriodicSession): Promise<void> {
  const end = Date.now() + RUN_MS;
  while (true) {
    try {
      await drain(session, end);
    } catch {
      failed();
    }
    if (!isAhead(end - PAUSE_MS, RUN_MS)) return;
    await new Promise<void>((resolve) => void setTimeout(() => resolve(), PAUSE_MS));
  }
}

async function drain(session: NginxPeriodicSession, end: number): Promise<void> {
  const counters = countersZone();
  const events = eventsZone();
  // Asked before the zone is touched: with a full one, taking lines out in vain would slow this worker's pages down.
  if (!counters || !events || isWaiting(counters)) return;
  while (isAhead(end, RUN_MS)) {
    const most = counters.get('batch') || MOST_LINES;
    const lines = events.items(most);
    if (lines.length === 0) return;
    const ask = { method: 'POST', path: '/v1/lines', body: linesToBody(lines) } as const;
    const reply = await askSidecar(session, ask);
    const status = reply.status;
    // 400: none of them is a line. The sidecar has counted them, and would say the same again.
    if (status === 204 || status === 400) remove(lines, 'flushed');
    else if (status === 413 && lines.length === 1) remove(lines, 'dropped');
    else if (status === 413) counters.set('batch', Math.ceil(lines.length / 2));
    else return failed();
    if (status === 204 && most < MOST_LINES) counters.set('batch', Math.min(most * 2, MOST_LINES));
    if (counters.get('back_off')) counters.delete('back_off');
    // The rest can wait until there is more of it.
    if (status === 204 && lines.length < most) return;
  }
}

function isWaiting(counters: NgxSharedDict<number>): boolean {
  return counters.get('away') !== undefined || isAhead(counters.get('retry_at'), LONGEST_BACK_OFF_MS);
}

function remove(lines: [string, string][], counter: string): void {
  const counters = countersZone();
  const events = eventsZone();
  if (!counters || !events) return;
  let removed = 0;
  for (let i = 0; i < lines.length; i++) {
    // False when another worker was faster.
    if (events.delete((lines[i] as [string, string])[0])) removed++;
  }
  counters.incr(counter, removed);
}

/** Fewer lines at the next attempt, and later: the sidecar may be slow and not away. */
function failed(): void {
  const counters = countersZone();
  if (!counters) return;
  const backOff = Math.min((counters.get('back_off') || PAUSE_MS / 2) * 2, LONGEST_BACK_OFF_MS);
  counters.set('back_off', backOff);
  counters.set('retry_at', Date.now() + backOff);
  counters.set('batch', Math.max(1, Math.ceil((counters.get('batch') || MOST_LINES) / 2)));
}
