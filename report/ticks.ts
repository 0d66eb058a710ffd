import { intervalOf } from './intervals.ts';

const MOST = 5;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Round times of a range, in a time zone: what an axis names. Some five, or none in a range below a second. */
export function ticksOf(
  { from, to }: { from: number; to: number },
  timeZone: string,
): { stepMs: number; times: number[] } {
  const stepMs = intervalOf(to - from, MOST);
  const offset = offsetOf(from, timeZone);
  const first = Math.ceil((from + offset) / stepMs) * stepMs - offset;
  const times: number[] = [];
  for (let ms = first; ms <= to; ms += stepMs) times.push(ms);
  return { stepMs, times };
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
