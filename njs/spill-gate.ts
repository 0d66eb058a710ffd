import { countersZone } from './zones.ts';

/**
 * Whether the spill folder is full or not writable, as the periodics found (spill-limit.ts). Stored in shared memory, because every process
 * of the workers' user can write to the folder.
 */
export function isShut(counters: NgxSharedDict<number>): boolean {
  return counters.get('spill_full') !== undefined || counters.get('spill_barred') !== undefined;
}

/** The value of `$hotitem_spill_shut`: `1` if writing a view would fail, which would log an error for each one. */
export function spillShut(): string {
  const counters = countersZone();
  return counters && isShut(counters) ? '1' : '';
}
