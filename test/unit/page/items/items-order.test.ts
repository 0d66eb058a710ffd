import { describe, expect, test } from '@jest/globals';
import { inOrderOf } from '../../../../page/in-order-of.ts';
import { compareBy, folded, matches, toEntry } from '../../../../page/items/items-order.ts';

const NOTHING = { views: 0, bots: 0, prefetches: 0, others: 0, all: 0, visitors: 0, last: 0 };
const entry = (item: string, fields = {}, catalogue?: { name?: string; category?: string }) =>
  toEntry({ item, ...NOTHING, ...fields, ...(catalogue !== undefined && { catalogue }) });
const names = (entries: { views: { item: string } }[]) => entries.map(({ views }) => views.item);

describe('the order of all items', () => {
  test('is by number, equal ones by their id, and the other way round when asked to', () => {
    const some = [entry('b', { views: 1 }), entry('c', { views: 5 }), entry('a', { views: 1 })];
    expect(names(some.toSorted(compareBy({ sort: 'views', isDown: true })))).toEqual(['c', 'a', 'b']);
    expect(names(some.toSorted(compareBy({ sort: 'views', isDown: false })))).toEqual(['a', 'b', 'c']);
  });

  test('of names is that of a reader: numbers in them count as numbers, and the name of the catalogue counts', () => {
    const some = [entry('item-10'), entry('item-9'), entry('1', {}, { name: 'Äpfel' }), entry('zebra')];
    expect(names(some.toSorted(compareBy({ sort: 'item', isDown: false })))).toEqual([
      '1',
      'item-9',
      'item-10',
      'zebra',
    ]);
  });

  test('holds for what is there already; what is new comes last, what is gone is left out', () => {
    const before = [entry('a'), entry('b'), entry('c')];
    const now = [entry('d', { views: 9 }), entry('c', { views: 2 }), entry('a', { views: 1 })];
    const kept = inOrderOf(before, now, ({ views }) => views.item);
    expect(names(kept)).toEqual(['a', 'c', 'd']);
    expect(kept[0]?.views.views).toBe(1);
  });
});

// With the small letters of the language of the browser, people in Turkey did not find capitals, and others not theirs.
test.each([
  ['KINDLE Reader', ['kindle', 'KINDLE', 'kındle', 'KİNDLE']],
  ['İstanbul Rug', ['istanbul', 'ISTANBUL', 'İSTANBUL']],
  ['Cafe\u0301 noir', ['café', 'cafe\u0301', 'CAFÉ', 'cafe']],
  ['한국', ['한국'.normalize('NFD')]],
  ['Ａ４', ['a4']],
])('%s is found however it is typed, and its accents composed', (name, typed) => {
  const found = toEntry({ item: '1', ...NOTHING, catalogue: { name } });
  expect(typed.filter((text) => !matches(found, folded(text), ''))).toEqual([]);
});

test('an item is found by its name or its id, in any case, and by its category', () => {
  const kettle = entry('2093', {}, { name: 'Brass Kettle', category: 'Kitchen' });
  expect(matches(kettle, 'kettle', '')).toBe(true);
  expect(matches(kettle, '209', 'Kitchen')).toBe(true);
  expect(matches(kettle, 'kettle', 'Shoes')).toBe(false);
  expect(matches(kettle, 'mug', '')).toBe(false);
});
