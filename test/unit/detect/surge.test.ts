import { describe, expect, test } from '@jest/globals';
import { type Crowd, shopFactorOf, surgeOf, surprise } from '../../../detect/surge.ts';

const USUAL: Crowd = {
  visitors: 100,
  seconds: 10,
  shopVisitors: 1_000,
  baseline: 1,
  shopFactor: 1,
  weight: 1,
};

describe('a surge', () => {
  test('is a number of visitors that is not due to chance', () => {
    expect(surgeOf(USUAL)).toBeCloseTo(100 * Math.log(10) - 90);
    expect(surprise(100, 10)).toBe(surgeOf(USUAL));
  });

  test.each<[string, Partial<Crowd>]>([
    ['as many as usual', { visitors: 10 }],
    ['fewer than usual', { visitors: 3 }],
    ['under three times as many', { visitors: 29 }],
    ['fewer than fifteen visitors, however new the item', { visitors: 14, baseline: 1e-9 }],
    ['under half a percent of the shop', { shopVisitors: 20_001 }],
    ['no more than the whole shop has more', { shopFactor: 5 }],
    ['a few that stand for many', { weight: 6 }],
    ['not surprising enough', { visitors: 15, baseline: 0.4 }],
  ])('is not: %s', (_, changes) => {
    expect(surgeOf({ ...USUAL, ...changes })).toBe(0);
  });

  test.each([
    [0.5, 1, 1],
    [5, 1, 5],
    [500, 1, 20],
    [1, 0, 20],
    [0, 0, 1],
  ])('the factor of a shop with %d visitors/s that usually has %d is %d', (rate, baseline, factor) => {
    expect(shopFactorOf(rate, baseline)).toBe(factor);
  });
});
