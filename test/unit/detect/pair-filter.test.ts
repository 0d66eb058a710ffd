import { describe, expect, test } from '@jest/globals';

import { COUNT_BITS, createPairFilter, MOST_SEEN, RETURNED } from '../../../detect/pair-filter.ts';
import { mix } from '../../../event/mix.ts';

describe('the pair filter', () => {
  test('counts how often a pair was seen', () => {
    const pairs = createPairFilter();
    expect([1, 1, 2, 1].map((pair) => pairs.see(mix(pair), 5))).toEqual([1, 2, 1, 3]);
  });

  test('does not count a pair of the previous period as new, once, and forgets it one period later', () => {
    const pairs = createPairFilter();
    pairs.see(7, 5);
    pairs.turn();
    expect(pairs.see(7, 5)).toBe(RETURNED);
    expect(pairs.see(7, 5)).toBe(2);
    pairs.turn();
    expect(pairs.see(7, 5)).toBe(RETURNED);
    pairs.turn();
    pairs.turn();
    expect(pairs.see(7, 5)).toBe(1);
  });

  test('returns how long ago a pair was seen, also in the previous period, and nothing for a late view', () => {
    const pairs = createPairFilter();
    const seconds = [254, 257, 257, 255, 260];
    expect(seconds.map((second) => pairs.see(7, second) >> COUNT_BITS)).toEqual([0, 3, 0, 0, 3]);
    pairs.turn();
    expect(pairs.see(7, 270)).toBe((10 << COUNT_BITS) | RETURNED);
    expect(pairs.see(7, 271)).toBe((1 << COUNT_BITS) | 2);
  });

  test('a visitor who comes a thousand times does not count as new when the counter saturates', () => {
    const pairs = createPairFilter();
    for (let i = 0; i < 1_000; i++) pairs.see(7, 5);
    expect(pairs.see(7, 5)).toBe(MOST_SEEN);
  });

  test('5,000 visitors of three views each among 85,000 others are counted within two percent', () => {
    const pairs = createPairFilter();
    let fresh = 0;
    for (let i = 0; i < 85_000; i++) {
      pairs.see(mix(i + 1_000_000), 5);
      if (i % 5 === 0 && i / 5 < 15_000 && pairs.see(mix((i / 5) % 5_000), 5) === 1) fresh++;
    }
    expect(Math.abs(fresh / 5_000 - 1)).toBeLessThan(0.02);
  });
});
