import { countersZone } from './zones.ts';

/**
 * Whether nothing can be written to the spill folder, as the periodics found (spill-limit.ts): it holds as much as it may, or takes
 * nothing. In shared memory, because every process of the workers' user can write to the folder.
 */
export function isShut(counters: NgxSharedDict<number>): boolean {
  return counters.get('spill_full') !== undefined || counters.get('spill_barred') !== undefined;
}

/** The value of `$hotitem_spill_shut`: `1` where it would be in vain to write a view, each with a line in the error log. */
export function spillShut(): string {
  const counters = countersZone();
  return counters && isShut(counters) ? '1' : '';
}
