import { describe, expect, test } from '@jest/globals';
import { addTo, createUltraLogLog, merge, REGISTERS } from '../../../detect/ultraloglog.ts';
import { mix } from '../../../event/mix.ts';

const STANDARD_ERROR = 0.76 / Math.sqrt(REGISTERS);

describe('a sketch of distinct values', () => {
  test.each([0, 1, 20, 100, 1_000, 10_000, 200_000])(
    'estimates %d different values within four standard errors',
    (count) => {
      const sketch = createUltraLogLog();
      for (let again = 0; again < 2; again++) addAll(sketch.add, 0, count);
      expect(Math.abs(sketch.estimate() - count)).toBeLessThanOrEqual(4 * STANDARD_ERROR * count);
    },
  );

  test.each([500, 5_000])('of %d values is wrong by no more than the standard error on average', (count) => {
    const sketch = createUltraLogLog();
    const sketches = 100;
    let [squares, sum] = [0, 0];
    for (let one = 0; one < sketches; one++) {
      sketch.clear();
      addAll(sketch.add, one * count, count);
      const error = sketch.estimate() / count - 1;
      squares += error ** 2;
      sum += error;
    }
    // Both are themselves uncertain: by 7 % of it for so many sketches, and by 10 %.
    expect(Math.sqrt(squares / sketches)).toBeLessThan(1.2 * STANDARD_ERROR);
    expect(Math.abs(sum / sketches)).toBeLessThan(0.35 * STANDARD_ERROR);
  });

  test('merged with another equals one of the values of both', () => {
    const registers = new Uint8Array(3 * REGISTERS);
    const [one, other, all] = [0, REGISTERS, 2 * REGISTERS];
    for (let size = 1; size < 20_000; size *= 5) {
      registers.fill(0);
      addAll((high, low) => addTo(registers, one, high, low), 0, size);
      addAll((high, low) => addTo(registers, other, high, low), size >> 1, size);
      addAll((high, low) => addTo(registers, all, high, low), 0, size + (size >> 1));
      merge(registers, one, registers, other);
      expect(Buffer.compare(registers.subarray(one, other), registers.subarray(all))).toBe(0);
    }
  });

  test('of the highest and the lowest ranks counts them', () => {
    const sketch = createUltraLogLog();
    sketch.add(0, 0);
    sketch.add(0, -1);
    expect(sketch.estimate()).toBeGreaterThan(0);
    expect(Number.isFinite(sketch.estimate())).toBe(true);
  });

  test('is empty once it is cleared', () => {
    const sketch = createUltraLogLog();
    sketch.add(1, 2);
    sketch.clear();
    expect(sketch.estimate()).toBe(0);
  });
});

function addAll(add: (high: number, low: number) => void, first: number, count: number): void {
  for (let i = first; i < first + count; i++) add(mix(2 * i + 1), mix(0x5bd1e995 + 2 * i));
}
