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
  const offsetOf = offsetsOf(timeZone);
  const times: number[] = [];
  let offset = offsetOf(from);
  let latest = Number.NEGATIVE_INFINITY;
  for (let local = Math.ceil((from + offset) / stepMs) * stepMs; ; local += stepMs) {
    const ms = momentOf(local, offset, offsetOf);
    if (ms > to) return { stepMs, times };
    // An hour that a change to summer time leaves out ends when it begins.
    if (ms > latest) times.push(ms);
    latest = ms;
    offset = offsetOf(ms);
  }
}

/** When the clocks show `local`, or first something later; `offset` is that of a moment before. */
function momentOf(local: number, offset: number, offsetOf: (ms: number) => number): number {
  const about = local - offset;
  const changed = offsetOf(about);
  const exact = local - changed;
  return offsetOf(exact) === changed ? exact : about;
}

/** Tells how much later a clock of the zone is than one of UTC at a time, in ms, to whole minutes. */
function offsetsOf(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return (ms) => offsetAt(ms, format);
}

function offsetAt(ms: number, format: Intl.DateTimeFormat): number {
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return (Math.round((local - ms) / MINUTE) * MINUTE) % DAY;
}
