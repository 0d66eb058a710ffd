import { expect, test } from '@jest/globals';
import { intervalOf } from '../../../report/intervals.ts';

const HOUR = 3_600_000;

test.each([
  [4 * HOUR, 300, 60_000],
  [24 * HOUR, 300, 300_000],
  [1, 300, 1_000],
  [365 * 24 * HOUR, 300, 7 * 24 * HOUR],
  [100_000 * 24 * HOUR, 10, 10_000 * 24 * HOUR],
])('of %d ms, at most %d intervals of %d ms', (ms, most, expected) => {
  expect(intervalOf(ms, most)).toBe(expected);
  expect(ms / expected).toBeLessThanOrEqual(most);
});

test('no interval is shorter than asked for', () => {
  expect(intervalOf(5_000, 10_000, 10_000)).toBe(10_000);
});
