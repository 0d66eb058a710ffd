import type { LiveEnds } from '../../heat/live.ts';
import { count, timeOfDay } from '../words.ts';

/** How requests for a hot item ended; undefined: nginx does not log it. `now`: ms since 1970. */
export function endsOf(ends: LiveEnds | undefined, now: number): string {
  if (ends === undefined)
    return 'Not known: nginx tells it of hot items that have an action, where it includes log-shared.conf.';
  const text = deadEndsText(ends, count);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}. Counted since ${timeOfDay(ends.since, now)}.`;
}

/** How many requests ended badly, and how. The command line writes numbers in another way. */
export function deadEndsText(
  { ok, notFound, rejected, error, left }: Omit<LiveEnds, 'since'>,
  number: (value: number) => string,
): string {
  const bad = notFound + rejected + error + left;
  const ended = `of ${number(ok + bad)} requests ended badly`;
  if (bad === 0) return `none ${ended}`;
  const kinds: [number, string][] = [
    [error, 'with an error (5xx)'],
    [notFound, 'not found (404)'],
    [rejected, 'rejected (429)'],
    [left, 'left before the end of the answer'],
  ];
  const told = kinds
    .filter(([requests]) => requests > 0)
    .map(([requests, how]) => `${number(requests)} ${how}`);
  return `${number(bad)} ${ended}: ${told.join(', ')}`;
}
