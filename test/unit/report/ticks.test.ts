import { expect, test } from '@jest/globals';
import { ticksOf } from '../../../report/ticks.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const AT = Date.parse('2026-11-27T09:13:46.250Z');

test.each<[string, number, string, string[]]>([
  ['a minute', MINUTE, 'UTC', ['09:14:00', '09:14:30']],
  ['ten minutes', 10 * MINUTE, 'UTC', ['09:14', '09:16', '09:18', '09:20', '09:22']],
  ['four hours', 4 * HOUR, 'UTC', ['10:00', '11:00', '12:00', '13:00']],
  ['four hours in Nepal', 4 * HOUR, 'Asia/Kathmandu', ['15:00', '16:00', '17:00', '18:00']],
  ['a day in New York', DAY, 'America/New_York', ['06:00', '12:00', '18:00', '00:00']],
  ['four days in Berlin', 4 * DAY, 'Europe/Berlin', ['00:00', '00:00', '00:00', '00:00']],
])('the labels of %s are exact where they stand', (_, length, timeZone, expected) => {
  const { times } = ticksOf({ from: AT, to: AT + length }, timeZone);
  const exact = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' });
  const labels = times.map((ms) => exact.format(ms).replace(/:00$/, length > MINUTE ? '' : ':00'));
  expect(labels).toEqual(expected);
  expect(times.every((ms) => ms % 1_000 === 0)).toBe(true);
});
