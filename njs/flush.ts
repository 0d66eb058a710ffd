import { isAhead } from './ahead.ts';
import { divert, endDivert, endDivertFromFull } from './divert.ts';
import { drainAsked, endDrain } from './drain-marker.ts';
import { isLeaving } from './leaving.ts';
import { othersLeaving } from './others-leaving.ts';
import { pause } from './pause.ts';
import { post } from './post.ts';
import { reportLast, reportOf } from './report.ts';
import { spillAll, spillOverdue } from './spill-zone.ts';
import { countersZone, eventsZone } from './zones.ts';

/** The last post of a run starts before this, ms: together with js_fetch_timeout it ends within the interval of one second. */
const RUN_MS = 750;
/** Time between two posts of a run: five posts a second, at most 280 ms apart, also across runs and with late timers. */
const STEP_MS = 180;
/** A timer may end a millisecond early: nginx's clock for timers and that of the system round differently. A longer pause is a clock set back. */
const LONGEST_PAUSE_MS = STEP_MS * 2;
/** How long an exiting worker posts from the zone before it spills the rest. */
const LEAVE_MS = 1_000;
/** Time for another worker to finish putting a view into the zone. */
const LAST_LOOK_MS = 20;
/** How often an exiting worker looks what the others have captured since. */
const LOOK_MS = 100;
/** How long it looks. Debian's unit ends a quit after as much. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Five times a second, posts what is in the zone to the sidecar, or spills it if no post succeeded for five seconds. Runs in one worker. During a
 * reload it runs in two, which may post a line twice: the sidecar recognizes its id.
 */
export async function flush(session: NginxPeriodicSession): Promise<void> {
  let next = Date.now();
  const end = next + RUN_MS;
  while (true) {
    if (isLeaving()) return leave(session);
    await turn(session, end);
    do next += STEP_MS;
    while (next < end && next <= Date.now());
    if (next >= end || !isAhead(next, LONGEST_PAUSE_MS)) return;
    await pause(next - Date.now());
  }
}

/** Empties the zone before this worker exits; later views bypass it. Done once, by the first handler that notices the exit. */
export async function leave(session: NginxPeriodicSession): Promise<void> {
  const counters = countersZone();
  if (!counters?.add('leaving', Date.now())) return;
  divert(session, counters);
  await empty(session, Date.now() + LEAVE_MS);
  await pause(LAST_LOOK_MS);
  await reportUntilLast(session, counters);
}

/**
 * Reports, and again whenever another worker has captured a view since, until all of them have exited. nginx waits for them anyway. After a
 * reload, the new workers report.
 */
async function reportUntilLast(
  session: NginxPeriodicSession,
  counters: NgxSharedDict<number>,
): Promise<void> {
  const end = Date.now() + LONGEST_WAIT_MS;
  let reported = '';
  while (true) {
    // Before the counters are read: a worker may capture its last view and exit meanwhile.
    const isLast = !othersLeaving();
    if (reportOf(counters) !== reported) {
      await empty(session, Date.now() + LEAVE_MS);
      reported = await reportLast(session, counters);
    }
    if (isLast || !isAhead(end, LONGEST_WAIT_MS)) return;
    await pause(LOOK_MS);
    if (counters.get('leaving') === undefined) return;
  }
}

async function turn(session: NginxPeriodicSession, end: number): Promise<void> {
  const counters = countersZone();
  if (!counters) return;
  // The worker exited because of a reload: this one continues.
  const goesOn = counters.delete('leaving');
  if (drainAsked(session)) {
    divert(session, counters);
    await empty(session, end);
    if (eventsZone()?.size() === 0) endDrain(session);
    return;
  }
  endDivert(counters, goesOn);
  await post(session, end);
  spillOverdue(session);
  if (counters.get('divert_until') !== undefined && eventsZone()?.size() === 0) endDivertFromFull(counters);
}

async function empty(session: NginxPeriodicSession, end: number): Promise<void> {
  await post(session, end);
  spillAll(session);
}
