import type { LiveEnds } from '../../heat/live.ts';
import { capitalised, deadEndsText } from '../requests-text.ts';
import { count, timeOfDay } from '../words.ts';

/** How requests for a hot item ended; undefined: nginx does not log it. `now`: ms since 1970. */
export function endsOf(ends: LiveEnds | undefined, now: number): string {
  if (ends === undefined)
    return 'Not known: nginx tells it of hot items that have an action, where it includes log-shared.conf.';
  return `${capitalised(deadEndsText(ends, count))}. Counted since ${timeOfDay(ends.since, now)}.`;
}
