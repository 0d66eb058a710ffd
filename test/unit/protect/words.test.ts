import { expect, test } from '@jest/globals';
import { createWords } from '../../../protect/words.ts';

const MINUTE_MS = 60_000;

test('there is another word after a minute, and the one before it is still known', () => {
  let time = 1_795_355_710_000;
  const words = createWords(() => time);
  words.begin();
  const first = words.latest();
  time += MINUTE_MS - 1;
  expect(words.turn()).toBe(false);
  time += 1;
  expect(words.turn()).toBe(true);
  expect(words.all()).toEqual([words.latest(), first]);
  expect(words.latest()).not.toBe(first);
});

test('a clock that is set back by an hour does not keep a word for that hour', () => {
  let time = 1_795_355_710_000;
  const words = createWords(() => time);
  words.begin();
  time -= 60 * MINUTE_MS;
  expect(words.turn()).toBe(true);
  expect(words.turn()).toBe(false);
});
