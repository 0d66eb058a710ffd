import { expect, test } from '@jest/globals';
import { createShopRate } from '../../../heat/shop-rate.ts';

const START = 1_795_355_710_000;

test('counts the last ten complete seconds, without the current one', () => {
  const shop = createShopRate();
  for (let second = 0; second < 30; second++) shop.add(second + 1, second, START + second * 1_000);
  // Seconds 20 to 29 are full, 30 has only begun.
  shop.add(500, 500, START + 30_000);
  expect(shop.lastTen(START + 30_500)).toEqual({ all: 255, people: 245 });
});

test('forgets the time before a break', () => {
  const shop = createShopRate();
  shop.add(7, 7, START);
  expect(shop.lastTen(START + 1_000)).toEqual({ all: 7, people: 7 });
  expect(shop.lastTen(START + 11_000)).toEqual({ all: 0, people: 0 });
});
