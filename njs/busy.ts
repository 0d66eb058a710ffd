import { isAhead } from './ahead.ts';

/** Shorter than a shopper would notice, and long enough to spare most views of a burst the attempt. */
const BUSY_MS = 10;

/** Notes that the sidecar is at its limit: views are spilled for a moment, because an attempt costs nginx more than a spill. */
export function noteBusy(counters: NgxSharedDict<number>): void {
  counters.set('busy_until', Date.now() + BUSY_MS);
}

export function isBusy(counters: NgxSharedDict<number>): boolean {
  return isAhead(counters.get('busy_until'), BUSY_MS);
}
