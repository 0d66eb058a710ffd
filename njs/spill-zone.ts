import { isAhead } from './ahead.ts';
import { isWaiting } from './post.ts';
import { spillLines } from './spill-lines.ts';
import { linesToBody } from './zone-line.ts';
import { remove } from './zone-remove.ts';
import { countersZone, eventsZone } from './zones.ts';

/** How long views wait in the zone for an unavailable sidecar: a kill of nginx loses what is in it. */
const PATIENCE_MS = 5_000;
/** Lines per turn: this worker's pages wait meanwhile. */
const MOST_LINES = 250;

/** Spills what is in the zone once no post has succeeded for five seconds. */
export function spillOverdue(session: NginxPeriodicSession): void {
  const counters = countersZone();
  if (!counters || !isWaiting(counters) || eventsZone()?.size() === 0) return;
  counters.add('stuck_at', Date.now());
  if (!isAhead((counters.get('stuck_at') || 0) + PATIENCE_MS, PATIENCE_MS)) spillAll(session);
}

/** Spills what is in the zone, as far as the folder accepts it. */
export function spillAll(session: NginxPeriodicSession): void {
  const events = eventsZone();
  if (!events) return;
  while (true) {
    const lines = events.items(MOST_LINES);
    if (lines.length === 0 || !spillLines(session, linesToBody(lines))) return;
    remove(lines, ['diverted', 'spilled']);
    if (lines.length < MOST_LINES) return;
  }
}
