import { type LetterFilter, toLetterFilter } from '../reconcile/letter-filter.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { CommandOption, Flags } from './command.ts';
import { parseTime } from './parse-time.ts';

export const FILTER_OPTIONS: Record<'reason' | 'origin' | 'since' | 'until', CommandOption> = {
  reason: { type: 'string', placeholder: 'TEXT', about: 'only dead letters whose reason contains this' },
  origin: {
    type: 'string',
    placeholder: 'TEXT',
    about: 'only dead letters whose origin begins with this: collection_hot_item/3/',
  },
  since: {
    type: 'string',
    placeholder: 'TIME',
    about: 'only dead letters at or after this time: ISO 8601, or like -2h',
  },
  until: { type: 'string', placeholder: 'TIME', about: 'only dead letters before this time' },
};

/** The filter that the flags describe. Throws a `UsageError`. */
export function parseFilter(
  { reason, origin, since, until }: Flags,
  now: number,
): (letter: KeptLetter) => boolean {
  const filter: LetterFilter = {
    reason: text(reason),
    origin: text(origin),
    since: text(since) === undefined ? undefined : parseTime('since', String(since), now),
    until: text(until) === undefined ? undefined : parseTime('until', String(until), now),
  };
  return toLetterFilter(filter);
}

function text(flag: Flags[string]): string | undefined {
  return typeof flag === 'string' ? flag : undefined;
}
