// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';
import { isAhead } from './ahead.ts';
import { setOneIn } from './divert.ts';
import { oneIn } from './one-in.ts';
import { reportOf, reportPast, standingOf } from './report.ts';
import { askSidecar } from './sidecar.ts';
import { barSpill } from './spill-limit.ts';
import { countersZone } from './zones.ts';

/** A run ends within the interval of one second. */
const RUN_MS = 900;
const SHORTEST_WAIT_MS = 30;
/** When to retry a sidecar that timed out. Not every second: its queue keeps each connection. */
const RETRY_SLOW_MS = 5_000;
/** When to retry a sidecar that is unavailable for another reason: each refused connection is a line in the error log, a timeout is not. */
const RETRY_MS = 20_000;

/** Prefix of the error for a sidecar that answers incorrectly. */
const UNABLE = 'the sidecar answers';

type Control = { version: number; mode: string; n: number; lease_ms: number };

/**
 * A long poll between this nginx and its sidecar: it sends the counters and returns the capture mode. It also notes when the sidecar is
 * unavailable (`away`), so that views do not attempt to reach it. Runs in one worker.
 */
export async function poll(session: NginxPeriodicSession): Promise<void> {
  const counters = countersZone();
  if (!counters) return;
  counters.add('started', Date.now());
  counters.add('instance', randomOf(session));
  barSpill(session, counters);
  const now = Date.now();
  const made = socketMade(session);
  if (isSilent(counters, made)) return fallBack(session, counters);
  counters.set('asked_at', now);
  counters.set('socket_made', made);
  try {
    await follow(session, counters, now + RUN_MS);
  } catch (failure) {
    counters.add('away', now);
    counters.set('retry_ms', isSlow(`${failure}`) ? RETRY_SLOW_MS : RETRY_MS);
  }
  fallBack(session, counters);
}

async function follow(
  session: NginxPeriodicSession,
  counters: NgxSharedDict<number>,
  end: number,
): Promise<void> {
  while (true) {
    // If the sidecar was unavailable, it must answer at once.
    const away = counters.get('away') !== undefined;
    if (!away && !isAhead(end - SHORTEST_WAIT_MS, RUN_MS)) return;
    const wait = away ? 0 : end - Date.now();
    const reply = await askSidecar(session, {
      method: 'GET',
      path: `/v1/control?wait=${wait}&${reportOf(counters)}&${standingOf(session, counters)}`,
    });
    if (reply.status >= 500) throw new Error(`${UNABLE} ${reply.status}`);
    if (reply.status === 200) {
      // On its own line: njs does not support await in arguments.
      const control = await reply.json();
      apply(control as Control, counters);
    }
    if (counters.get('lease_ms')) counters.set('lease_until', Date.now() + (counters.get('lease_ms') || 0));
    counters.delete('away');
    counters.delete('retry_at');
    await reportPast(session, counters);
    // 204: the wait is over. Any other status but 200: the sidecar is too old to support polling.
    if (reply.status !== 200 && !away) return;
  }
}

/** 48 bits of nginx's randomness: generators of njs are seeded with the time. */
function randomOf(session: NginxPeriodicSession): number {
  return parseInt((session.variables.request_id || '').slice(0, 12), 16) || 0;
}

function apply(control: Control, counters: NgxSharedDict<number>): void {
  if (control.mode === 'default') {
    // The sidecar has no mode any more. Without a lease, the operator's setting applies.
    counters.delete('version');
    counters.delete('lease_ms');
    counters.delete('lease_until');
    return;
  }
  setOneIn(counters, oneIn(control.mode === 'sample' ? `sample ${control.n}` : control.mode));
  counters.set('version', control.version);
  counters.set('lease_ms', control.lease_ms);
}

/** The sidecar was unavailable for longer than the lease: the operator's setting applies again. */
function fallBack(session: NginxPeriodicSession, counters: NgxSharedDict<number>): void {
  if (isAhead(counters.get('lease_until'), counters.get('lease_ms') || 0)) return;
  setOneIn(counters, oneIn(session.variables.hotitem_mode_default));
  counters.delete('version');
}

function isSilent(counters: NgxSharedDict<number>, made: number): boolean {
  if (counters.get('away') === undefined) return false;
  // A starting sidecar creates its socket again.
  if (made !== 0 && made !== counters.get('socket_made')) return false;
  const retryMs = counters.get('retry_ms') || RETRY_MS;
  return made === 0 || isAhead((counters.get('asked_at') || 0) + retryMs, retryMs);
}

function isSlow(failure: string): boolean {
  return failure.indexOf('timed out') >= 0 || failure.indexOf(UNABLE) >= 0;
}

/** When the socket was created, ms; 0 if there is none. */
function socketMade(session: NginxPeriodicSession): number {
  try {
    return fs.statSync(session.variables.hotitem_socket || '').ctimeMs;
  } catch {
    return 0;
  }
}
