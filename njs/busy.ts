import { isAhead } from './ahead.ts';

/** Less than a shopper would notice, and enough to spare most views of a burst the attempt. */
const BUSY_MS = 10;

/** The sidecar is at its limit: for a moment, no attempt is made, which costs nginx more than a spill. */
export function noteBusy(counters: NgxSharedDict<number>): void {
  counters.set('busy_until', Date.now() + BUSY_MS);
}

export function isBusy(counters: NgxSharedDict<number>): boolean {
  return isAhead(counters.get('busy_until'), BUSY_MS);
}
