import { countersZone, eventsZone } from './zones.ts';

/** Removes lines from the zone and adds their number to these counters. */
export function remove(lines: [string, string][], names: string[]): void {
  const counters = countersZone();
  const events = eventsZone();
  if (!counters || !events) return;
  let removed = 0;
  for (let i = 0; i < lines.length; i++) {
    // False if another worker was faster.
    if (events.delete((lines[i] as [string, string])[0])) removed++;
  }
  for (let i = 0; i < names.length; i++) counters.incr(names[i] as string, removed);
}
