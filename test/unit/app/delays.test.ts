import { expect, test } from '@jest/globals';
import { createDelays } from '../../../app/delays.ts';

test('half of all, 99 % and the longest are told, at most 5 % too long', () => {
  const delays = createDelays();
  for (let ms = 1; ms <= 10_000; ms++) delays.add(ms);
  const { views, medianMs = 0, p99Ms = 0, longestMs } = delays.summary() ?? {};

  expect({ views, longestMs }).toEqual({ views: 10_000, longestMs: 10_000 });
  for (const [found, exact] of [
    [medianMs, 5_000],
    [p99Ms, 9_900],
  ] as const) {
    expect(found).toBeGreaterThanOrEqual(exact - 1);
    expect(found).toBeLessThanOrEqual(exact * 1.06);
  }
});

test('without a view there is nothing to tell, and a clock that is behind is no delay', () => {
  const delays = createDelays();
  expect(delays.summary()).toBeUndefined();
  delays.add(-5_000);
  expect(delays.summary()).toEqual({ views: 1, medianMs: 0, p99Ms: 0, longestMs: 0 });
});
