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

/** How long views bypass a zone that is full: each attempt is a line in the error log of the shop. */
const FULL_MS = 1_000;

/** Makes views bypass the zone for a second, because it is full. Does not shorten a diversion that has begun. */
export function divertFromFull(r: NginxHTTPRequest, counters: NgxSharedDict<number>): void {
  if (!counters.add('divert_until', Date.now() + FULL_MS)) return;
  setOneIn(counters, counters.get('one_in') ?? oneIn(r.variables.hotitem_mode_default));
}

/** Ends a diversion because the zone was full: it is empty. Another diversion may end by as much too early. */
export function endDivertFromFull(counters: NgxSharedDict<number>): void {
  endDivert(counters, isAhead(counters.get('divert_until'), FULL_MS));
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
