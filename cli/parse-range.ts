import type { TimeRange } from '../store/history.ts';
import type { CommandOption, Flags } from './command.ts';
import { UsageError } from './parse-command-line.ts';
import { parseTime } from './parse-time.ts';

export const RANGE_OPTIONS: Record<'from' | 'to', CommandOption> = {
  from: { type: 'string', placeholder: 'TIME', about: 'views from this time on: ISO 8601, or like -2h' },
  to: { type: 'string', placeholder: 'TIME', about: 'views before this time (now)' },
};

/** The range of `--from` and `--to`, or of flags with other names; default: everything until now. Throws a `UsageError`. */
export function parseRange(
  { from, to }: Flags,
  now: number,
  names: { from: string; to: string } = { from: 'from', to: 'to' },
): TimeRange {
  const range = {
    from: from === undefined ? 0 : parseTime(names.from, String(from), now),
    to: to === undefined ? now : parseTime(names.to, String(to), now),
  };
  if (range.from >= range.to) throw new UsageError(`--${names.from} must be before --${names.to}`);
  return range;
}
