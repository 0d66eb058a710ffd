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

test.each([
  [
    'to summer time',
    'Europe/Berlin',
    '2026-03-28T23:00Z',
    23 * HOUR,
    ['00:00', '06:00', '12:00', '18:00', '00:00'],
  ],
  [
    'to winter time',
    'Europe/Berlin',
    '2026-10-24T22:00Z',
    25 * HOUR,
    ['00:00', '06:00', '12:00', '18:00', '00:00'],
  ],
  [
    'to summer time',
    'Europe/Berlin',
    '2026-03-28T23:00Z',
    4 * HOUR,
    ['00:00', '01:00', '03:00', '04:00', '05:00'],
  ],
  [
    'to winter time',
    'Europe/Berlin',
    '2026-10-24T22:00Z',
    5 * HOUR,
    ['00:00', '01:00', '02:00', '03:00', '04:00'],
  ],
  [
    'by half an hour',
    'Australia/Lord_Howe',
    '2026-04-04T13:00Z',
    24.5 * HOUR,
    ['00:00', '06:00', '12:00', '18:00', '00:00'],
  ],
  ['at midnight', 'America/Santiago', '2026-09-05T04:00Z', 71 * HOUR, ['00:00', '01:00', '00:00', '00:00']],
  ['in the week', 'Europe/Berlin', '2026-10-21T22:00Z', 7 * DAY + HOUR, ['00:00', '00:00']],
])('over a change %s in %s they are round: from %s', (_, timeZone, begin, length, expected) => {
  const from = Date.parse(begin);
  const short = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' });
  const { times } = ticksOf({ from, to: from + length }, timeZone);
  expect(times.map((ms) => short.format(ms))).toEqual(expected);
});
