import { isAhead } from './ahead.ts';
import { oneIn } from './one-in.ts';

/** nginx must stop within this time after a drain; then views go to the zone again. */
const DIVERT_MS = 30_000;

/**
 * Makes all views bypass the zone for half a minute, to the sidecar or the spill file: nginx is about to stop. Stored as the sign of
 * `one_in`, which each view reads anyway.
 */
export function divert(session: NginxPeriodicSession, counters: NgxSharedDict<number>): void {
  counters.set('divert_until', Date.now() + DIVERT_MS);
  setOneIn(counters, counters.get('one_in') ?? oneIn(session.variables.hotitem_mode_default));
}

/** Ends the diversion when its time is over, or at once. */
export function endDivert(counters: NgxSharedDict<number>, atOnce: boolean): void {
  const until = counters.get('divert_until');
  if (until === undefined || (!atOnce && isAhead(until, DIVERT_MS))) return;
  counters.delete('divert_until');
  setOneIn(counters, counters.get('one_in') ?? 1);
}

/** Captures one view in `n`; through the zone unless views are diverted. */
export function setOneIn(counters: NgxSharedDict<number>, n: number): void {
  const diverted = isAhead(counters.get('divert_until'), DIVERT_MS);
  counters.set('one_in', diverted ? -Math.abs(n) : Math.abs(n));
}
