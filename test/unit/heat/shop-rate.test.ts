import { expect, test } from '@jest/globals';
import { createRows, IS_BOT, ROW_BITS, type Views, WEIGHT } from '../../../detect/views.ts';
import { createShopRate } from '../../../heat/shop-rate.ts';

const START = 1_795_355_710_000;

test('counts ten complete seconds, without the last one and the current one', () => {
  const shop = createShopRate();
  for (let second = 0; second < 30; second++) {
    const now = START + second * 1_000;
    shop.add(views(now, second + 1, 1), now);
  }
  shop.add(views(START + 30_000, 500, 0), START + 30_000);
  // Seconds 19 to 28 count: 29 may be incomplete, 30 has only begun.
  expect(shop.lastTen(START + 30_500)).toEqual({ all: 245, people: 235 });
});

test('counts a view by its own time, with its weight', () => {
  const shop = createShopRate();
  shop.add(views(START, 1, 0, 100), START + 4_000);
  expect(shop.lastTen(START + 4_000)).toEqual({ all: 100, people: 100 });
  expect(shop.lastTen(START + 12_000)).toEqual({ all: 0, people: 0 });
});

test('an outage that ends is no load of now: views of before do not count', () => {
  const shop = createShopRate();
  for (let second = 300; second > 0; second--) shop.add(views(START - second * 1_000, 50, 10), START);
  expect(shop.lastTen(START)).toEqual({ all: 500, people: 400 });
});

test('forgets the time before a break, and before the clock was set', () => {
  const shop = createShopRate();
  shop.add(views(START, 7, 0), START);
  expect(shop.lastTen(START + 2_000)).toEqual({ all: 7, people: 7 });
  expect(shop.lastTen(START + 12_000)).toEqual({ all: 0, people: 0 });
  const back = START - 3_600_000;
  shop.add(views(back, 3, 0), back);
  expect(shop.lastTen(back + 2_000)).toEqual({ all: 3, people: 3 });
});

/** So many views at a time, `bots` of them by bots. */
function views(time: number, length: number, bots: number, weight = 1): Views {
  const { words, times } = createRows(length);
  times.fill(time);
  for (let i = 0; i < length; i++) {
    words[(i << ROW_BITS) + WEIGHT] = weight;
    words[(i << ROW_BITS) + IS_BOT] = i < bots ? 1 : 0;
  }
  return { length, words, times };
}
