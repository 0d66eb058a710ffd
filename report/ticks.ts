import { intervalOf } from './intervals.ts';

const MOST = 5;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Round times of a range, by the clocks of a time zone: what an axis names. Some five, or none in a range below a second. */
export function ticksOf(
  { from, to }: { from: number; to: number },
  timeZone: string,
): { stepMs: number; times: number[] } {
  const stepMs = intervalOf(to - from, MOST);
  const times: number[] = [];
  let offset = offsetOf(from, timeZone);
  let latest = Number.NEGATIVE_INFINITY;
  for (let local = Math.ceil((from + offset) / stepMs) * stepMs; ; local += stepMs) {
    const ms = momentOf(local, offset, timeZone);
    if (ms > to) return { stepMs, times };
    // An hour that a change to summer time leaves out ends when it begins.
    if (ms > latest) times.push(ms);
    latest = ms;
    offset = offsetOf(ms, timeZone);
  }
}

/** When the clocks show `local`, or first something later; `offset` is that of a moment before. */
function momentOf(local: number, offset: number, timeZone: string): number {
  const about = local - offset;
  const changed = offsetOf(about, timeZone);
  const exact = local - changed;
  return offsetOf(exact, timeZone) === changed ? exact : about;
}

/** How much later a clock of the zone is than one of UTC, in whole minutes. */
function offsetOf(ms: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return (Math.round((local - ms) / MINUTE) * MINUTE) % DAY;
}
