import { expect, test } from '@jest/globals';
import { visitorsOf } from '../../../../store/duckdb/visitor-sketch.ts';

test('few bits of a sketch are as many visitors, more bits are more', () => {
  expect([0, 1, 2, 3].map(visitorsOf)).toEqual([0, 1, 2, 3]);
  const all = Array.from({ length: 126 * 16 + 1 }, (_, bits) => visitorsOf(bits));
  expect(all).toEqual(all.toSorted((a, b) => a - b));
  expect(all.at(-1)).toBeGreaterThan(20_000_000);
});

test('half of the bits of the first level, and what belongs to it, are the visitors that set them on average', () => {
  // 126 bits, each of which is hit by a visitor with a chance of 1/252, are half full after 252 ln 2 = 175 visitors.
  const bits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15]
    .map((level) => 126 * (1 - (1 - 2 ** -level / 126) ** 175))
    .reduce((sum, one) => sum + one);

  expect(Math.abs(visitorsOf(Math.round(bits)) - 175)).toBeLessThanOrEqual(1);
});
