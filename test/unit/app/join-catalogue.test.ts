import { describe, expect, test } from '@jest/globals';
import { joinCatalogue } from '../../../app/join-catalogue.ts';
import { type CatalogueItems, createItems } from '../../../catalogue/items.ts';
import type { HotItemEvent } from '../../../event/event.ts';

const SHOE = { v: 1, id: 'a', time: 1, uri: '/item/4711', item: '4711' } as const satisfies HotItemEvent;
const HAT = { ...SHOE, id: 'b', item: '0815' };

describe('an index with a catalogue', () => {
  test('gets each event with name and category of its item, and others as they are', async () => {
    const { index, created } = joined(catalogueOf({ name: 'Shoe', category: 'Shoes', price: '1' }));
    await index.create([{ ...SHOE }, undefined, { ...HAT }, { ...SHOE, id: 'c' }]);
    expect(created).toEqual([
      { ...SHOE, name: 'Shoe', category: 'Shoes' },
      undefined,
      HAT,
      { ...SHOE, id: 'c', name: 'Shoe', category: 'Shoes' },
    ]);
  });

  test('makes events one by one, as they are asked for', async () => {
    const { index, created } = joined(catalogueOf({ name: 'Shoe' }));
    let made = 0;
    function* events(): Generator<HotItemEvent> {
      for (; made < 3; made++) {
        expect(created.length).toBe(made);
        yield { ...SHOE };
      }
    }
    await index.create(events());
    expect(created.length).toBe(3);
  });

  test('has the newest catalogue for each event', async () => {
    let items = catalogueOf({ name: 'Old' });
    const { index, created } = joined(() => items);
    await index.create([{ ...SHOE }]);
    items = catalogueOf({ category: 'New' });
    await index.create([{ ...SHOE }]);
    expect(created).toEqual([
      { ...SHOE, name: 'Old' },
      { ...SHOE, category: 'New' },
    ]);
  });

  test('waits with the first events until the catalogue was tried to be loaded, and takes them without', async () => {
    let isTried = () => {};
    const tried = new Promise<void>((resolve) => {
      isTried = resolve;
    });
    const { index, created } = joined(() => undefined, tried);
    const creating = index.create([{ ...SHOE }]);
    await new Promise(setImmediate);
    expect(created).toEqual([]);
    isTried();
    await creating;
    expect(created).toEqual([SHOE]);
  });

  test('knows no more items than it may, however many are viewed', async () => {
    const { index, created } = joined(catalogueOf({ name: 'Shoe' }));
    await index.create(Array.from({ length: 25_000 }, (_, i) => ({ ...SHOE, item: `random ${i}` })));
    await index.create([{ ...SHOE }]);
    expect(created.filter((event) => event?.name !== undefined)).toEqual([{ ...SHOE, name: 'Shoe' }]);
  });
});

function joined(
  catalogue: CatalogueItems | (() => CatalogueItems | undefined),
  tried: Promise<void> = Promise.resolve(),
) {
  const items = typeof catalogue === 'function' ? catalogue : () => catalogue;
  const created: (HotItemEvent | undefined)[] = [];
  const index = {
    async create(events: Iterable<HotItemEvent | undefined>) {
      for (const event of events) created.push(event);
      return [];
    },
  };
  return { index: joinCatalogue(index, { items, tried }), created };
}

function catalogueOf(said: { name?: string; category?: string; price?: string }): CatalogueItems {
  const { add, items } = createItems(8 * 1024 * 1024);
  add({ id: SHOE.item, ...said });
  return items;
}
