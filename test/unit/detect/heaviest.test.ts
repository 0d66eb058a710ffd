import { expect, test } from '@jest/globals';
import { createHeaviest } from '../../../detect/heaviest.ts';

const PLACE = 5;

test('the heaviest of a thousand visitors are found, with a lower bound of their views', () => {
  const heaviest = createHeaviest(10);
  heaviest.watch(PLACE);
  for (let i = 0; i < 1_000; i++) {
    heaviest.add(PLACE, -1, 1);
    if (i % 2 === 0) heaviest.add(PLACE, -2, 1);
    heaviest.add(PLACE, i, 1);
  }
  const [first, second] = heaviest.of(PLACE);
  expect([first?.visitor, second?.visitor]).toEqual([-1, -2]);
  for (const [one, views] of [
    [first, 1_000],
    [second, 500],
  ] as const) {
    expect(one?.views).toBeLessThanOrEqual(views);
    expect(one?.views).toBeGreaterThan(0.8 * views);
  }
});

test('the last complete period is reported, until its item is no longer watched', () => {
  const heaviest = createHeaviest(10);
  heaviest.watch(PLACE);
  for (let i = 0; i < 30; i++) heaviest.add(PLACE, 1, 1);
  heaviest.turn(() => true);
  heaviest.add(PLACE, 2, 1);
  expect(heaviest.of(PLACE)).toEqual([{ visitor: 1, views: 30 }]);
  heaviest.turn(() => false);
  expect(heaviest.of(PLACE)).toEqual([]);
});

test('a limited number of items is watched; a released one makes room for another', () => {
  const heaviest = createHeaviest(100);
  for (let place = 0; place < 100; place++) heaviest.watch(place);
  expect(heaviest.isWatched(99)).toBe(false);
  heaviest.forget(0);
  heaviest.watch(99);
  heaviest.add(99, 7, 3);
  expect(heaviest.of(99)).toEqual([{ visitor: 7, views: 3 }]);
});
