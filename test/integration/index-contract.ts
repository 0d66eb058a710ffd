import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../event/event.ts';
import type { EventIndex } from '../../store/event-index.ts';
import type { ItemViews } from '../../store/event-questions.ts';

export type IndexUnderTest = {
  index(): EventIndex;
  /** Makes what was created visible to questions. */
  refresh(): Promise<void>;
  /** What is stored under an id. */
  stored(id: string): Promise<Texts[]>;
};

export type Texts = { [Field in 'uri' | 'args' | 'item' | 'ua' | 'ref']: unknown };

const NOON = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;

/** A view with an id as the sidecar makes it, and a new one each time. */
export function view(fields: Partial<HotItemEvent> = {}): HotItemEvent {
  const time = fields.time ?? NOON;
  return {
    v: 1,
    id: time.toString(16).padStart(12, '0') + randomBytes(10).toString('hex'),
    time,
    uri: '/web/item/4711.html',
    item: '4711',
    ip: '203.0.113.7',
    ...fields,
  };
}

/** An item of a ranking in which what is left out is 0. */
function ranked(counts: Partial<ItemViews> & Pick<ItemViews, 'item' | 'last'>): ItemViews {
  const { views = 0, bots = 0, prefetches = 0, others = 0, visitors = 0, ...rest } = counts;
  return { ...rest, views, bots, prefetches, others, all: views + bots + prefetches + others, visitors };
}

/** What every index must do. Each test has a day of its own. */
export function itIsAnIndex({ index, refresh, stored }: IndexUnderTest): void {
  test('creates an event once, and says so when it comes again', async () => {
    const event = view();

    expect(await index().create([event])).toEqual([{ status: 'created' }]);
    expect(await index().create([event])).toEqual([{ status: 'exists' }]);
  });

  test('creates an event once that is in a batch twice', async () => {
    const event = view();

    expect(await index().create([event, view(), event])).toEqual([
      { status: 'created' },
      { status: 'created' },
      { status: 'exists' },
    ]);
  });

  test('ranks the items of a category, and those whose id or name contains a text', async () => {
    const at = NOON - 31 * 86_400_000;
    const shoe = { time: at, item: 'SKU-1', name: 'Läufer, 100% *rot*', category: 'Shoes' };
    await index().create([
      view(shoe),
      view(shoe),
      view({ time: at, item: 'sku-2', name: 'Hat "\\"', category: 'Hats' }),
      view({ time: at, item: 'sku-3' }),
    ]);
    await refresh();
    const range = { from: at, to: at + MINUTE, limit: 10 };
    const itemsOf = async (query: { category?: string; search?: string }) =>
      (await index().topItems({ ...range, ...query })).map(({ item }) => item);

    expect(await itemsOf({ category: 'Shoes' })).toEqual(['SKU-1']);
    expect(await itemsOf({ category: 'shoes' })).toEqual([]);
    expect(await itemsOf({ search: 'Sku-' })).toEqual(['SKU-1', 'sku-2', 'sku-3']);
    expect(await itemsOf({ search: '% *ROT*' })).toEqual(['SKU-1']);
    expect(await itemsOf({ search: '*' })).toEqual(['SKU-1']);
    expect(await itemsOf({ search: '?' })).toEqual([]);
    expect(await itemsOf({ search: '"\\"' })).toEqual(['sku-2']);
    expect(await itemsOf({ search: 'sku', category: 'Hats' })).toEqual(['sku-2']);
  });

  test('gives the outcomes in the order of the events', async () => {
    const events = Array.from({ length: 500 }, (_, i) => view({ time: NOON - i }));
    const again = events.filter((_, i) => i % 3 === 0);
    await index().create(again.toReversed());

    const outcomes = await index().create(events);

    expect(outcomes.map(({ status }) => status)).toEqual(
      events.map((_, i) => (i % 3 === 0 ? 'exists' : 'created')),
    );
  });

  test('creates nothing out of nothing', async () => {
    expect(await index().create([])).toEqual([]);
  });

  test('creates each event once when the same batch is sent several times at once', async () => {
    const events = Array.from({ length: 200 }, () => view());

    const outcomes = await Promise.all([1, 2, 3].map(() => index().create(events)));

    const created = events.map((_, i) => outcomes.filter((some) => some[i]?.status === 'created').length);
    expect(new Set(created)).toEqual(new Set([1]));
    expect(new Set(outcomes.flat().map(({ status }) => status))).toEqual(new Set(['created', 'exists']));
  });

  test.each([
    ['quotes and backslashes', `'; DROP TABLE events; -- "\\" \\u0041`],
    ['a character of zero', 'before\u0000after'],
    ['control characters and line ends', '\u0001\t\r\n\u2028\u2029\u007f'],
    ['the replacement character', 'a\ufffdb'],
    ['characters beyond 16 bits', '🛒𝒳é'],
    ['right-to-left marks', '\u202eabc\u202c'],
    ['the bulk format itself', '"}\n{"create":{"_id":"forged"}}\n{}'],
    ['nothing', ''],
  ])('keeps %s as they are', async (_, text) => {
    const event = view({ uri: `/${text}`, args: text, item: `item ${text}`, ua: text, ref: text });

    expect(await index().create([event])).toEqual([{ status: 'created' }]);

    const { uri, args, item, ua, ref } = event;
    expect(await stored(event.id)).toEqual([{ uri, args, item, ua, ref }]);
  });

  test('tells apart ids that only look alike', async () => {
    const { id } = view();
    const ids = [id, id.toUpperCase(), ` ${id}`, `${id}0`, `'${id}'`, 'ü'.repeat(128)];

    const outcomes = await index().create(ids.map((other) => view({ id: other })));

    expect(outcomes.map(({ status }) => status)).toEqual(ids.map(() => 'created'));
    expect(await index().create(ids.map((other) => view({ id: other })))).toEqual(
      ids.map(() => ({ status: 'exists' })),
    );
  });

  test('ranks items by their views, each event with its weight', async () => {
    const at = NOON - 10 * 86_400_000;
    await index().create([
      view({ time: at, item: 'seldom', ip: '203.0.113.1' }),
      view({ time: at + 1, item: 'sampled', ip: '203.0.113.1', weight: 4 }),
      view({ time: at + 2, item: 'often', ip: '203.0.113.1' }),
      view({ time: at + 3, item: 'often', ip: '203.0.113.1' }),
      view({ time: at + 4, item: 'often', ip: '2001:db8::1' }),
    ]);
    await refresh();

    expect(await index().topItems({ from: at, to: at + MINUTE, limit: 10 })).toEqual([
      ranked({ item: 'sampled', views: 4, visitors: 1, last: at + 1 }),
      ranked({ item: 'often', views: 3, visitors: 2, last: at + 4 }),
      ranked({ item: 'seldom', views: 1, visitors: 1, last: at }),
    ]);
  });

  test('ranks by views of people, and says apart what bots, prefetches and other requests are', async () => {
    const at = NOON - 15 * 86_400_000;
    await index().create([
      view({ time: at, item: 'opened' }),
      view({ time: at + 1, item: 'opened', ip: '203.0.113.8' }),
      view({ time: at + 2, item: 'opened', bot: true, ip: '203.0.113.9' }),
      view({ time: at + 3, item: 'hovered', weight: 2 }),
      view({ time: at + 4, item: 'hovered', kind: 'prefetch', weight: 4 }),
      view({ time: at + 5, item: 'hovered', kind: 'prefetch', bot: true, ip: '203.0.113.8' }),
      view({ time: at + 6, item: 'hovered', kind: 'head' }),
      view({ time: at + 7, item: 'hovered', kind: 'part' }),
      view({ time: at + 8, item: 'hovered', kind: 'other' }),
      view({ time: at + 9, item: 'crawled', bot: true }),
      view({ time: at + 9, item: 'fetched', kind: 'prefetch' }),
      // By `hotitem doctor`: counted nowhere.
      view({ time: at + 10, item: 'opened', kind: 'test' }),
      view({ time: at + 10, item: 'tested', kind: 'test' }),
    ]);
    await refresh();
    const range = { from: at, to: at + MINUTE, limit: 10 };
    const opened = ranked({ item: 'opened', views: 2, bots: 1, visitors: 2, last: at + 1 });
    const hovered = ranked({
      item: 'hovered',
      views: 2,
      prefetches: 5,
      others: 3,
      visitors: 1,
      last: at + 3,
    });

    expect(await index().topItems(range)).toEqual([hovered, opened]);
    expect(await index().topItems({ ...range, rank: 'all' })).toEqual([
      { ...hovered, last: at + 8 },
      { ...opened, last: at + 2 },
      ranked({ item: 'crawled', bots: 1, last: at + 9 }),
      ranked({ item: 'fetched', prefetches: 1, last: at + 9 }),
    ]);
  });

  test.each([
    ['one item', 1, 18],
    ['many items', 300, 17],
  ])('says what else asked for %s, however many others bots asked for', async (_, limit, daysAgo) => {
    const at = NOON - daysAgo * 86_400_000;
    const crawled = Array.from({ length: 3 * limit }, (_, i) =>
      view({ time: at, item: `crawled ${i}`, bot: true, weight: 9 }),
    );
    const seen = Array.from({ length: limit }, (_, i) => `seen ${1_000 + i}`);
    await index().create([
      ...crawled,
      ...crawled.map((one) => ({ ...one, id: view({ time: at }).id })),
      ...seen.flatMap((item) => [
        view({ time: at, item }),
        view({ time: at + 1, item, bot: true }),
        view({ time: at + 2, item, kind: 'head', bot: true, weight: 2 }),
      ]),
    ]);
    await refresh();

    expect(await index().topItems({ from: at, to: at + MINUTE, limit })).toEqual(
      seen.map((item) => ranked({ item, views: 1, bots: 1, others: 2, visitors: 1, last: at })),
    );
  });

  test('counts visitors by their key, and without one by address and user agent together', async () => {
    const at = NOON - 16 * 86_400_000;
    const sameOffice = { time: at, item: 'office', ip: '203.0.113.7' };
    const known = { ...sameOffice, ua: 'a', item: 'known' };
    await index().create([
      view({ ...sameOffice, ua: 'a' }),
      view({ ...sameOffice, ua: 'b' }),
      view({ ...sameOffice, ua: 'b' }),
      view(sameOffice),
      view({ ...known, visitor: '6f1c2a9e0b5d4738' }),
      view({ ...known, visitor: '6f1c2a9e0b5d4738', ip: '203.0.113.8' }),
      view({ ...known, visitor: '0000000000000001' }),
      view({ ...known, visitor: '0000000000000002', ip: '203.0.113.8', kind: 'prefetch' }),
    ]);
    await refresh();

    expect(await index().topItems({ from: at, to: at + MINUTE, limit: 10 })).toMatchObject([
      { item: 'office', views: 4, visitors: 3 },
      { item: 'known', views: 3, visitors: 2 },
    ]);
  });

  test('counts views without an address, hashed ones as visitors, and dropped ones as none', async () => {
    const at = NOON - 14 * 86_400_000;
    const { ip: _, ...dropped } = view({ time: at, item: 'dropped' });
    const hashed = view({ time: at, item: 'hashed', ip: '9ce4fb03f1e93110' });
    expect(await index().create([dropped, hashed])).toEqual([{ status: 'created' }, { status: 'created' }]);
    await refresh();

    expect(await index().topItems({ from: at, to: at + MINUTE, limit: 10 })).toEqual([
      ranked({ item: 'dropped', views: 1, visitors: 0, last: at }),
      ranked({ item: 'hashed', views: 1, visitors: 1, last: at }),
    ]);
  });

  test('counts an event at the beginning of the window, and none at its end', async () => {
    const at = NOON - 11 * 86_400_000;
    await index().create(
      [at - 1, at, at + 99, at + 100].map((time) => view({ time, item: `at ${time - at}` })),
    );
    await refresh();

    const items = await index().topItems({ from: at, to: at + 100, limit: 10 });

    expect(items.map(({ item }) => item).sort()).toEqual(['at 0', 'at 99']);
  });

  test('lists no more items than asked for, equal ones by their name', async () => {
    const at = NOON - 12 * 86_400_000;
    await index().create(['c', 'a', 'b'].map((item) => view({ time: at, item })));
    await refresh();

    const items = await index().topItems({ from: at, to: at + 1, limit: 2 });

    expect(items.map(({ item }) => item)).toEqual(['a', 'b']);
  });

  test('has no items where there were no views', async () => {
    expect(await index().topItems({ from: 0, to: 1, limit: 10 })).toEqual([]);
  });

  test('answers questions while events come in', async () => {
    const at = NOON - 13 * 86_400_000;
    const batches = Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: 100 }, () => view({ time: at + i, item: 'busy' })),
    );

    const [outcomes] = await Promise.all([
      Promise.all(batches.map((events) => index().create(events))),
      Promise.all(batches.map(() => index().topItems({ from: at, to: at + MINUTE, limit: 1 }))),
    ]);
    await refresh();

    expect(outcomes.flat().every(({ status }) => status === 'created')).toBe(true);
    expect(await index().topItems({ from: at, to: at + MINUTE, limit: 1 })).toMatchObject([{ views: 1000 }]);
  });
}
