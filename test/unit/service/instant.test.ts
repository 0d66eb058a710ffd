import { expect, test } from '@jest/globals';
import { toInstant } from '../../../service/instant.ts';

test.each([
  ['2026-11-27', '2026-11-27T00:00:00.000Z'],
  ['2026-11-27T18:00', '2026-11-27T18:00:00.000Z'],
  ['2026-11-27 18:00:05.5', '2026-11-27T18:00:05.500Z'],
  ['2026-11-27T18:00:00+01:00', '2026-11-27T17:00:00.000Z'],
  ['2028-02-29T23:00-0530', '2028-03-01T04:30:00.000Z'],
])('%s is %s', (text, time) => {
  expect(new Date(toInstant(text) ?? 0).toISOString()).toBe(time);
});

test.each([
  '2026-02-29',
  '2026-02-30T12:00Z',
  '2026-04-31T12:00+02:00',
  '2026-13-01',
  '2026-11-27T25:00',
  '27.11.2026',
  '',
])('%j is no time', (text) => {
  expect(toInstant(text)).toBeUndefined();
});
