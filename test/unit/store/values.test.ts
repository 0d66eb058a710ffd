import { expect, test } from '@jest/globals';
import { lateValues } from '../../../store/values.ts';

const TEXTS = ['a', 'b', 'c'];
const late = lateValues(TEXTS.length, (i) => Buffer.from(TEXTS[i] ?? 'beyond'));

test.each([
  ['one by one', [0, 1, 2].map((i) => late.at(i))],
  ['all of them', [...late]],
  ['as an array does', late.map((value) => value)],
  ['with their places', [...late.entries()].map(([i, value]) => (late.at(i)?.equals(value) ? value : i))],
  ['in parts', [...late.slice(0, 1), ...late.slice(1)]],
])('values that are made on demand come %s', (_, values) => {
  expect(values.map(String)).toEqual(TEXTS);
});

test('there is none after the last one', () => {
  expect(late.at(TEXTS.length)).toBeUndefined();
});

test('each is made only on demand', () => {
  const made: number[] = [];
  const values = lateValues(3, (i) => Buffer.from(String(made.push(i))));
  expect(made).toEqual([]);
  values.at(1);
  expect(made).toEqual([1]);
});
