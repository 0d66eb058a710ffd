import { expect, test } from '@jest/globals';
import { createHyperLogLog, REGISTERS } from '../../../detect/hyperloglog.ts';
import { mix } from '../../../event/mix.ts';

test.each([0, 1, 20, 100, 1_000, 10_000, 200_000])(
  'estimates %d different values within four standard errors',
  (count) => {
    const sketch = createHyperLogLog();
    for (let again = 0; again < 2; again++) {
      for (let i = 0; i < count; i++) sketch.add(mix(2 * i + 1), mix(0x5bd1e995 + 2 * i));
    }
    const error = 1.04 / Math.sqrt(REGISTERS);
    expect(Math.abs(sketch.estimate() - count)).toBeLessThanOrEqual(4 * error * count);
  },
);

test('is empty once it is cleared', () => {
  const sketch = createHyperLogLog();
  sketch.add(1, 2);
  sketch.clear();
  expect(sketch.estimate()).toBe(0);
});
