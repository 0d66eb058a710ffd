/**
 * The shared zones of http-batch.conf. Undefined where that include is missing; njs before 0.8.0 has no `ngx.shared` at
 * all, whatever its types say.
 */
export function countersZone(): NgxSharedDict<number> | undefined {
  return ngx.shared?.hotitem_counters;
}

/** One entry a view that waits to be posted: its request id and its line. */
export function eventsZone(): NgxSharedDict<string> | undefined {
  return ngx.shared?.hotitem_events;
}
