import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createAdmission, NOT_TRACKED, RISES, SWEEP_TICKS } from '../../../detect/admission.ts';
import { mix } from '../../../event/mix.ts';
import { runs } from '../../parts/full.ts';

const NEVER = 2 ** 30;
/** Visitor and stamp of a view of which nothing is asked. */
const ANYBODY = [0, 0] as const;
const highOf = (item: number) => mix(2 * item + 1);

describe('admission', () => {
  test('admits an item that reaches the bar, and then finds it by its slot', () => {
    const admission = createAdmission(4);
    const counted = [1, 2, 3, 4].map(() => admission.count(7, 9, 1, 4, ...ANYBODY));
    expect(counted.slice(0, 3)).toEqual([NOT_TRACKED, NOT_TRACKED, NOT_TRACKED]);
    expect(counted[3]).toBeLessThanOrEqual(RISES);
    admission.track(RISES - (counted[3] ?? 0), 9, 2);
    expect(admission.count(7, 9, 1, 4, ...ANYBODY)).toBe(2);
    admission.forget(2);
    expect(admission.count(7, 9, 1, 4, ...ANYBODY)).toBe(NOT_TRACKED);
  });

  test('distinguishes items in the same bucket, tracked or not', () => {
    const admission = createAdmission(4);
    admission.track(RISES - admission.count(7, 9, 4, 4, ...ANYBODY), 9, 0);
    // The same fingerprint and the same bucket.
    expect(admission.count(7, 9 + (1 << 14), 1, 4, ...ANYBODY)).toBe(NOT_TRACKED);
    expect(admission.count(8, 9, 1, 4, ...ANYBODY)).toBe(NOT_TRACKED);
  });

  test("undercounts an item by at most a ninth of its bucket's views, and never overcounts", () => {
    const item = fc.record({ item: fc.nat(30), weight: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 300 }), (views) => {
        // One bucket for all.
        const admission = createAdmission(1, 0);
        const exact = new Map<number, number>();
        let shown = 0;
        for (const { item, weight } of views) {
          admission.count(highOf(item), 0, weight, NEVER, ...ANYBODY);
          exact.set(item, (exact.get(item) ?? 0) + weight);
          shown += weight;
        }
        for (const [item, count] of exact) {
          // Reaches the bar by one more view just where it was counted to one less.
          const reaches = (bar: number) => {
            const copy = createAdmission(1, 0);
            for (const view of views) copy.count(highOf(view.item), 0, view.weight, NEVER, ...ANYBODY);
            return copy.count(highOf(item), 0, 1, bar, ...ANYBODY) <= RISES;
          };
          expect(reaches(count + 2)).toBe(false);
          const least = count - Math.floor(shown / 9);
          if (least > 0) expect(reaches(least + 1)).toBe(true);
        }
      }),
      { numRuns: runs(150) },
    );
  });

  test('a flood of a million items that are viewed once admits none of them, and evicts no tracked item', () => {
    const admission = createAdmission(1);
    admission.track(RISES - admission.count(7, 9, 4, 4, ...ANYBODY), 9, 0);
    let rose = 0;
    for (let i = 0; i < 1_000_000; i++)
      if (admission.count(highOf(i), mix(2 * i), 1, 4, ...ANYBODY) <= RISES) rose++;
    expect(rose).toBe(0);
    expect(admission.count(7, 9, 1, 4, ...ANYBODY)).toBe(0);
  });

  test('keeps the first visitor of an item and the time, whatever else enters its bucket', () => {
    const admission = createAdmission(4, 0);
    for (let item = 0; item < 8; item++) admission.count(highOf(item), item, 1, 2, 100 + item, 200 + item);
    for (let item = 7; item >= 0; item--) {
      const cell = RISES - admission.count(highOf(item), item, 1, 2, ...ANYBODY);
      expect(admission.counted(cell)).toBe(2);
      expect([admission.firstVisitor(cell), admission.firstStamp(cell)]).toEqual([100 + item, 200 + item]);
    }
  });

  test('halves its counts with each sweep', () => {
    const admission = createAdmission(1, 4);
    admission.count(7, 9, 3, 4, ...ANYBODY);
    for (let i = 0; i < SWEEP_TICKS; i++) admission.sweep();
    expect(admission.count(7, 9, 2, 4, ...ANYBODY)).toBe(NOT_TRACKED);
    expect(admission.count(7, 9, 1, 4, ...ANYBODY)).toBeLessThanOrEqual(RISES);
  });
});
