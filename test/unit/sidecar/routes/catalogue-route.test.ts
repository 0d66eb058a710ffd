import { expect, test } from '@jest/globals';
import { createItems } from '../../../../catalogue/items.ts';
import { createCatalogueRoute } from '../../../../sidecar/routes/catalogue-route.ts';

test('a thousand of many categories are shown, and no more than these are sorted', async () => {
  const { add, items } = createItems(16 * 1024 * 1024);
  for (let i = 0; i < 3_000; i++) add({ id: `${i}`, category: `c${3_000 - i}` });
  const asked: number[] = [];
  const shown = {
    get: items.get,
    categories(most: number) {
      asked.push(most);
      return items.categories(most);
    },
  };
  const route = createCatalogueRoute({ items: () => shown, state: () => ({ rows: 3_000 }) });
  const reply = await route(new URL('http://host/api/v1/catalogue'), new AbortController().signal, '');
  if (!('body' in reply)) throw new Error('no reply');
  const { categories }: { categories: string[] } = JSON.parse(String(reply.body));
  expect([categories.length, categories[0], categories.at(-1)]).toEqual([1_000, 'c2001', 'c3000']);
  expect(asked).toEqual([1_000]);
});
