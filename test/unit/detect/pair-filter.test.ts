import { describe, expect, test } from '@jest/globals';

<<<<<<< HEAD

import { createPairFilter } from '../../../detect/pair-filter.ts';
import { mix } from '../../../event/mix.ts';

=======

import { createPairFilter, RETURNED } from '../../../detect/pair-filter.ts';
import { mix } from '../../../event/mix.ts';

>>>>>>> cbd4fe2 (Heat: a view costs one line of its item; concentrated, sketches of the hottest, state over a restart, explain)

describe('the pair filter', () => {
  test('counts how often a pair was seen', () => {
    const pairs = createPairFilter();
    expect([1, 1, 2, 1].map((pair) => pairs.count(mix(pair)))).toEqual([1, 2, 1, 3]);
  });

  test('takes a pair that was seen in the period before for no newcomer, once, and forgets it in the period after', () => {
    const pairs = createPairFilter();
    pairs.count(7);
    pairs.turn();
    expect(pairs.count(7)).toBe(RETURNED);
    expect(pairs.count(7)).toBe(2);
    pairs.turn();
    expect(pairs.count(7)).toBe(RETURNED);
    pairs.turn();
    pairs.turn();
    expect(pairs.count(7)).toBe(1);
  });

  test('a visitor who comes a thousand times does not count as new when the count is at its end', () => {
    const pairs = createPairFilter();
    for (let i = 0; i < 1_000; i++) pairs.count(7);
    expect(pairs.count(7)).toBe(256);
  });

  test('5,000 visitors of three views each among 85,000 others are counted within two percent', () => {
    const pairs = createPairFilter();
    let fresh = 0;
    for (let i = 0; i < 85_000; i++) {
      pairs.count(mix(i + 1_000_000));
      if (i % 5 === 0 && i / 5 < 15_000 && pairs.count(mix((i / 5) % 5_000)) === 1) fresh++;
    }
    expect(Math.abs(fresh / 5_000 - 1)).toBeLessThan(0.02);
  });
});
