import { expect, test } from '@jest/globals';
import type { LiveItem } from '../../../../heat/live.ts';
import { createOrder } from '../../../../page/hot/order.ts';

const MINUTE = 60_000;

test('the most viewed by people comes first, and the order is kept for five seconds', () => {
  const order = createOrder();
  expect(names(order.arrange([item('a', 1), item('b', 2)], 0, false))).toEqual(['b', 'a']);
  expect(names(order.arrange([item('a', 9), item('b', 2)], 4_999, false))).toEqual(['b', 'a']);
  expect(names(order.arrange([item('a', 9), item('b', 2)], 5_000, false))).toEqual(['a', 'b']);
});

test('a new item takes its place at once', () => {
  const order = createOrder();
  order.arrange([item('a', 1)], 0, false);
  expect(names(order.arrange([item('a', 1), item('new', 5)], 100, false))).toEqual(['new', 'a']);
});

test('under the pointer nothing moves: new items are appended, gone items leave', () => {
  const order = createOrder();
  order.arrange([item('a', 3), item('b', 2), item('c', 1)], 0, false);
  const later = order.arrange([item('c', 9), item('new', 50), item('a', 3)], 20_000, true);
  expect(names(later)).toEqual(['a', 'c', 'new']);
});

test('gives the number of ranks moved within a minute', () => {
  const order = createOrder();
  order.arrange([item('a', 2), item('b', 1)], 0, false);
  expect(order.moved('a', 1, MINUTE - 1)).toBeUndefined();
  order.arrange([item('a', 2), item('b', 9), item('new', 1)], MINUTE, false);
  expect(order.moved('b', 1, MINUTE)).toBe(1);
  expect(order.moved('a', 2, MINUTE)).toBe(-1);
  expect(order.moved('new', 3, MINUTE)).toBeUndefined();
});

function names(items: LiveItem[]): string[] {
  return items.map(({ item }) => item);
}

function item(name: string, people: number): LiveItem {
  const ten = { all: people, people, visitors: people };
  return { item: name, ten, minute: ten, decisions: [], series: { all: [], people: [] } };
}
