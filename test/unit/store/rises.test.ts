import { expect, test } from '@jest/globals';
import { risesOf } from '../../../store/rises.ts';

const QUERY = {
  to: 0,
  windowMs: 600_000,
  windowsBefore: 6,
  leastVisitors: 10,
  leastRatio: 2,
  stepMs: 60_000,
  limit: 3,
};
const counted = (item: string, visitors: number, earlier: number) => ({
  item,
  visitors,
  earlier,
  views: visitors,
});

test('a rise has enough visitors and is steep enough; the steepest comes first, of equal ones the larger', () => {
  const rises = risesOf(
    [
      counted('twice', 20, 60),
      counted('not twice', 19, 60),
      counted('few', 9, 0),
      counted('new', 10, 0),
      counted('newer', 30, 0),
      counted('three times', 30, 60),
    ],
    QUERY,
  );
  expect(rises.map(({ item, before }) => [item, before])).toEqual([
    ['newer', 0],
    ['new', 0],
    ['three times', 10],
  ]);
});
