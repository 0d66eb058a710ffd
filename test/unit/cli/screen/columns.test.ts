import { expect, test } from '@jest/globals';
import { cell, columnsOf } from '../../../../cli/screen/columns.ts';

test.each([
  ['mug', 3],
  ['Tasse für Café', 14],
  ['Café'.normalize('NFD'), 4],
  ['売り切れ', 8],
  ['한글', 4],
  // As a Mac writes it: it was twice as wide.
  ['한글'.normalize('NFD'), 4],
  ['☕', 2],
])('%s occupies %d columns of a terminal', (text, columns) => {
  expect(columnsOf(text)).toBe(columns);
});

test('a cell has its width, also where a wide character does not fit into the last column', () => {
  expect([cell('売り切れ', 6), cell('mug', 6), cell('7', 3, 'right')]).toEqual(['売り… ', 'mug   ', '  7']);
});
