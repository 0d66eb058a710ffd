import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createItems } from '../../../catalogue/items.ts';
import { runs } from '../../parts/full.ts';

const MIB = 1024 * 1024;
const SHOE = {
  id: '4711',
  name: 'Läufer 💥',
  category: 'Shoes',
  price: '19.99 EUR',
  stock: -3,
  image: 'https://img.example.com/4711.jpg',
};

describe('the items of a catalogue', () => {
  test('are what was added, and nothing else', () => {
    const { add, items } = createItems(8 * MIB);
    expect([add(SHOE), add({ id: 'bare' })]).toEqual(['added', 'added']);
    const { id: _, ...said } = SHOE;
    expect(items.get('4711')).toStrictEqual(said);
    expect(items.get('bare')).toStrictEqual({});
    expect([items.has('4711'), items.has('471'), items.has(''), items.has('x'.repeat(1000))]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([items.categoryOf('4711'), items.categoryOf('bare'), items.categoryOf('none')]).toEqual([
      'Shoes',
      undefined,
      undefined,
    ]);
    expect([items.rows, items.categories()]).toEqual([2, ['Shoes']]);
  });

  test('are there once: the first counts', () => {
    const { add, items } = createItems(8 * MIB);
    expect([add(SHOE), add({ ...SHOE, name: 'Other' })]).toEqual(['added', 'duplicate']);
    expect([items.rows, items.get('4711')?.name]).toEqual([1, SHOE.name]);
  });

  test('are found whatever their ids are', () => {
    const row = fc.record({
      id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
      category: fc.constantFrom('a', 'b'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 200 }), (rows) => {
        const { add, items } = createItems(8 * MIB);
        for (const one of rows) expect(add(one)).toBe('added');
        for (const { id, ...said } of rows) expect(items.get(id)).toEqual(said);
        expect(items.has('not there')).toBe(rows.some(({ id }) => id === 'not there'));
      }),
      { numRuns: runs(200) },
    );
  });

  test('take no more memory than they may: what has no room is not there', () => {
    const { add, items } = createItems(2 * MIB);
    let added = 0;
    while (add({ id: `item ${added}`, name: 'x'.repeat(200) }) === 'added') added++;
    expect(items.bytes).toBeLessThanOrEqual(2 * MIB);
    expect(items.rows).toBe(added);
    expect(added).toBeGreaterThan(1_000);
    expect([items.has(`item ${added - 1}`), items.has(`item ${added}`)]).toEqual([true, false]);
  });
});
