import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sortInSlices } from '../../../../page/items/sort-in-slices.ts';

test('a list is sorted in slices as it is at once, and equal ones keep their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer())), async (some) => {
      const compare = ([a]: [number, number], [b]: [number, number]) => a - b;
      const before = structuredClone(some);
      expect(await sortInSlices(some, compare, () => true)).toEqual(some.toSorted(compare));
      expect(some).toEqual(before);
    }),
  );
});

test('a sort that is not wanted any more is given up between two slices', async () => {
  const slow = (a: number, b: number) => {
    for (const end = performance.now() + 0.1; performance.now() < end; );
    return a - b;
  };
  const some = Array.from({ length: 1_000 }, (_, i) => -i);
  expect(await sortInSlices(some, slow, () => false)).toBeUndefined();
});
