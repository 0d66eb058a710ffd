import { describe, expect, test } from '@jest/globals';
import { createSketches } from '../../../detect/sketches.ts';
import { REGISTERS } from '../../../detect/ultraloglog.ts';
import { mix } from '../../../event/mix.ts';

const FOUR_ERRORS = 4 * (0.76 / Math.sqrt(REGISTERS));
const HOT = 3;

describe('sketches of the hottest items', () => {
  test('an item has none before it is chosen, and no estimate before it had one for the whole window', () => {
    const sketches = create(2);
    expect(sketches.minute(HOT)).toBe(-1);
    sketches.choose();
    for (let period = 0; period < 6; period++) {
      expect(sketches.minute(HOT)).toBe(-1);
      sketches.turn();
    }
    expect(sketches.minute(HOT)).toBe(0);
    expect(sketches.fiveMinutes(HOT)).toBe(-1);
  });

  test('estimate distinct visitors of one and of five minutes', () => {
    const sketches = create(2);
    sketches.choose();
    for (let period = 0; period < 65; period++) {
      if (period > 0) sketches.turn();
      // The same hundred in each period, and two thousand new ones.
      for (let i = 0; i < 100; i++) sketches.add(HOT, mix(~i));
      for (let i = 0; i < 2_000; i++) sketches.add(HOT, mix(period * 2_000 + i));
      const [minutes, left] = [Math.floor(period / 6), period % 6];
      if (period >= 6) expectAbout(sketches.minute(HOT), 100 + 6 * 2_000);
      const periods = 4 * 6 + left + 1;
      if (minutes >= 5) expectAbout(sketches.fiveMinutes(HOT), 100 + periods * 2_000);
    }
  });

  test('an item that appears between two choices gets one that contains all its visitors', () => {
    const views = [40, 30, 0, 0];
    const sketches = create(32, views);
    sketches.choose();
    for (let period = 0; period < 40; period++) sketches.turn();
    sketches.offer(HOT, views[HOT] ?? 0);
    expect(sketches.minute(HOT)).toBe(-1);
    views[HOT] = 1;
    sketches.offer(HOT, views[HOT] ?? 0);
    for (let i = 0; i < 1_000; i++) sketches.add(HOT, mix(i));
    views[HOT] = 1_000;
    expectAbout(sketches.minute(HOT), 1_000);
    expectAbout(sketches.fiveMinutes(HOT), 1_000);
    sketches.turn();
    for (let i = 500; i < 2_000; i++) sketches.add(HOT, mix(i));
    expectAbout(sketches.minute(HOT), 2_000);
    expectAbout(sketches.fiveMinutes(HOT), 2_000);
  });

  test('visitors are forgotten after a window without views', () => {
    const sketches = create(2);
    sketches.choose();
    for (let i = 0; i < 1_000; i++) sketches.add(HOT, mix(i));
    for (let period = 0; period < 30; period++) sketches.turn();
    expect(sketches.minute(HOT)).toBe(0);
    expect(sketches.fiveMinutes(HOT)).toBe(0);
  });

  test('go to the items with the most views, and are taken from those that became cold', () => {
    const views = [1, 5, 9, 7];
    const sketches = create(2, views);
    sketches.choose();
    for (let period = 0; period < 6; period++) sketches.turn();
    expect(views.map((_, place) => sketches.minute(place) >= 0)).toEqual([false, false, true, true]);
    views.splice(0, 4, 90, 5, 9, 80);
    sketches.choose();
    for (let period = 0; period < 6; period++) sketches.turn();
    expect(views.map((_, place) => sketches.minute(place) >= 0)).toEqual([true, false, false, true]);
  });
});

test('after a choice a sketch is free for a new item, though all items that have one are hot enough to keep it', () => {
  const views = new Array<number>(64).fill(6);
  views[63] = 0;
  const sketches = create(32, views);
  sketches.choose();
  for (let place = 0; place < 63; place++) sketches.offer(place, views[place] ?? 0);
  sketches.choose();
  views[63] = 10;
  sketches.offer(63, views[63] ?? 0);
  for (let period = 0; period < 6; period++) sketches.turn();
  expect(sketches.minute(63)).toBe(0);
});

/** Items of so many views in each window. */
function create(count: number, views = [0, 0, 0, 9]) {
  const sketches = createSketches({
    places: views.length,
    sketches: count,
    viewsOf: (place) => views[place] ?? 0,
  });
  return { ...sketches, choose: () => sketches.choose(views.length, (index) => index) };
}

function expectAbout(estimate: number, exact: number): void {
  expect(Math.abs(estimate / exact - 1)).toBeLessThan(FOUR_ERRORS);
}
