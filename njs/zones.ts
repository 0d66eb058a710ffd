let counters: NgxSharedDict<number> | undefined;
let events: NgxSharedDict<string> | undefined;

/**
 * The shared zones of http-batch.conf. Undefined if that include is missing; njs before 0.8.0 has no `ngx.shared` at all, although its
 * types have. QuickJS creates a new object for each access to a zone, and keeps a script's variables for later requests; the njs engine
 * does neither.
 */
export function countersZone(): NgxSharedDict<number> | undefined {
  if (!QUICKJS) return ngx.shared?.hotitem_counters;
  counters ??= ngx.shared?.hotitem_counters;
  return counters;
}

/** One entry per view that waits to be posted: its request id and its line. */
export function eventsZone(): NgxSharedDict<string> | undefined {
  if (!QUICKJS) return ngx.shared?.hotitem_events;
  events ??= ngx.shared?.hotitem_events;
  return events;
}
