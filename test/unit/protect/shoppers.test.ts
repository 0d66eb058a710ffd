import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { SHOPPER_METRICS } from '../../../protect/metrics.ts';
import { createShoppers, type Shoppers } from '../../../protect/shoppers.ts';
import { createMetrics } from '../../../service/metrics.ts';

const NOW = 1_795_355_710_000;
const FATES = ['shared', 'stale', 'own', 'missing', 'unkept'];
const NONE = { shared: 0, stale: 0, own: 0, missing: 0, unkept: 0, since: NOW, at: NOW };

test('requests are counted by what nginx did with them, in all and for each item that is hot', () => {
  const { shoppers, total } = start();
  shoppers.follow(new Set(['4711', '红 色']));
  expect(
    take(shoppers, 'shared\t4711', 'shared\t4711', 'own\t4711', 'missing\t红 色', 'unkept\tother'),
  ).toEqual({ lines: 5, bad: 0 });
  expect(shoppers.of('4711').shoppers).toEqual({ ...NONE, shared: 2, own: 1 });
  expect(shoppers.of('红 色').shoppers).toEqual({ ...NONE, missing: 1 });
  expect(shoppers.of('other').shoppers).toBeUndefined();
  expect(FATES.map(total)).toEqual([2, 0, 1, 1, 1]);
  expect(shoppers.total().shoppers).toEqual({ ...NONE, shared: 2, own: 1, missing: 1, unkept: 1 });
});

test('a shared page that is older than it should be is counted as stale', () => {
  const { shoppers, total, stale } = start();
  shoppers.follow(new Set(['4711', '4712']));
  stale.add('4711');
  take(shoppers, 'shared\t4711', 'shared\t4712', 'own\t4711');
  expect(shoppers.of('4711').shoppers).toEqual({ ...NONE, stale: 1, own: 1 });
  expect([total('shared'), total('stale')]).toEqual([1, 1]);
});

test('what limit.conf did is counted, also of requests that neither the cache nor the origin answered', async () => {
  const { shoppers, registry } = start();
  shoppers.follow(new Set(['4711', '4712']));
  expect(
    take(
      shoppers,
      'own\t4711\tpassed',
      'shared\t4711\twould_limit',
      'shared\t4711\twould_limit',
      '\t4711\tlimited',
      '\tother\tlimited',
      'own\t4712',
    ),
  ).toEqual({ lines: 6, bad: 0 });
  expect(shoppers.of('4711').shoppers).toEqual({ ...NONE, shared: 2, own: 1 });
  expect(shoppers.of('4711').limit).toEqual({ passed: 1, limited: 1, wouldLimit: 2, since: NOW, at: NOW });
  expect([shoppers.of('4712').limit, shoppers.of('other').limit]).toEqual([undefined, undefined]);
  expect(shoppers.total().limit).toMatchObject({ passed: 1, limited: 2, wouldLimit: 2 });
  const text = await registry.metrics();
  for (const [result, count] of Object.entries({ passed: 1, limited: 2, would_limit: 2 }))
    expect(text).toContain(`protect_limit_total{result="${result}"} ${count}`);
});

test('how each request ended is counted, whoever answered it', async () => {
  const { shoppers, registry } = start();
  shoppers.follow(new Set(['4711', '4712']));
  expect(
    take(
      shoppers,
      'own\t4711\tpassed\tok',
      'shared\t4711\t\tleft',
      '\t4711\tlimited\trejected',
      '\t4711\t\tnot_found',
      '\t4711\t\tnot_found',
      'own\t4711\t\terror',
      '\t4711\t\tok',
      '\tother\t\terror',
      // Of includes of an older version.
      'own\t4712',
      'own\t4712\tpassed',
    ),
  ).toEqual({ lines: 10, bad: 0 });
  const ends = { ok: 2, notFound: 2, rejected: 1, error: 1, left: 1, since: NOW, at: NOW };
  expect(shoppers.of('4711').ends).toEqual(ends);
  expect(shoppers.of('4711').shoppers).toEqual({ ...NONE, shared: 1, own: 2 });
  expect(shoppers.of('4711').limit).toMatchObject({ passed: 1, limited: 1 });
  expect([shoppers.of('4712').ends, shoppers.of('other').ends]).toEqual([undefined, undefined]);
  expect(shoppers.total().ends).toEqual({ ...ends, error: 2 });
  const text = await registry.metrics();
  for (const [end, count] of Object.entries({ ok: 2, not_found: 2, rejected: 1, error: 2, left: 1 }))
    expect(text).toContain(`protect_ends_total{end="${end}"} ${count}`);
});

test('where nginx does not say how requests ended, none is said to have ended well', async () => {
  const { shoppers, registry } = start();
  take(shoppers, 'own\t4711', 'own\t4711\tpassed');
  expect(shoppers.total().ends).toBeUndefined();
  expect(await registry.metrics()).not.toContain('ends_total{');
});

test('where limit.conf checks nothing, nothing is said to be limited', async () => {
  const { shoppers, registry } = start();
  take(shoppers, 'own\t4711');
  expect(shoppers.total().limit).toBeUndefined();
  expect(await registry.metrics()).not.toContain('limit_total{');
});

test('an item that cooled and is hot again begins at none, one that stays hot goes on', () => {
  const { shoppers } = start();
  shoppers.follow(new Set(['4711', '4712']));
  take(shoppers, 'shared\t4711', 'shared\t4712');
  shoppers.follow(new Set(['4712']));
  shoppers.follow(new Set(['4711', '4712']));
  take(shoppers, 'shared\t4712');
  expect([shoppers.of('4711').shoppers, shoppers.of('4712').shoppers]).toEqual([
    undefined,
    { ...NONE, shared: 2 },
  ]);
});

test.each([
  '',
  '\t',
  'stale\t4711',
  'shared',
  'shared 4711',
  '\0\0shared\t4711',
  '__proto__\t4711',
  '\t4711',
  '\t4711\t',
  'own\t4711\t',
  'own\t4711\tlimit',
  'own\t4711\tconstructor',
  'own\t4711\tpassed\t',
  'stale\t4711\tpassed',
  'own\t4711\tpassed\t404',
  'own\t4711\tok',
  'own\t4711\t\t',
  'own\t4711\tpassed\tok\tok',
  'own\t4711\tconstructor\tok',
  'own\t4711\t\tnotFound',
  'own\t4711\twouldLimit\tok',
  '__proto__\t4711\t\tok',
  'stale\t4711\t\tleft',
])('what nginx does not write is not counted: %j', (line) => {
  const { shoppers, total } = start();
  shoppers.follow(new Set(['4711']));
  expect(take(shoppers, line, line)).toEqual(line === '' ? { lines: 0, bad: 0 } : { lines: 2, bad: 2 });
  expect(FATES.map(total)).toEqual([0, 0, 0, 0, 0]);
  expect([shoppers.of('4711').shoppers, shoppers.of('4711').limit]).toEqual([undefined, undefined]);
  expect(shoppers.total().ends).toBeUndefined();
});

test('while no line has come nothing is said to be none', async () => {
  const { shoppers, registry } = start();
  shoppers.follow(new Set(['4711']));
  expect(await registry.metrics()).not.toContain('shoppers_total{');
  take(shoppers, 'shared\t4711');
  const text = await registry.metrics();
  for (const [page, count] of [
    ['shared', 1],
    ['unkept', 0],
  ])
    expect(text).toContain(`shoppers_total{page="${page}"} ${count}`);
});

test('the counts say since when, and when the last line came', () => {
  const { shoppers, clock } = start();
  clock.time += 5_000;
  shoppers.follow(new Set(['4711']));
  clock.time += 2_000;
  take(shoppers, 'own\t4711');
  clock.time += 60_000;
  expect(shoppers.of('4711').shoppers).toMatchObject({ since: NOW + 5_000, at: NOW + 7_000 });
  expect(shoppers.total().shoppers).toMatchObject({ since: NOW, at: NOW + 7_000 });
});

test('more different lines than items can be hot are not nginx’s: none is counted, and the file is junk', () => {
  const { shoppers } = start();
  shoppers.follow(new Set(['4711']));
  const forged = Array.from({ length: 30_000 }, (_, i) => `own\t${i}`);
  expect(take(shoppers, ...forged)).toEqual({ lines: 30_000, bad: 30_000 });
  expect(shoppers.total().shoppers).toBeUndefined();
  expect(take(shoppers, ...forged.slice(0, 3_000))).toEqual({ lines: 3_000, bad: 0 });
});

function start() {
  const registry = new Registry();
  const metrics = createMetrics(registry, SHOPPER_METRICS);
  const stale = new Set<string>();
  const clock = { time: NOW };
  const shoppers = createShoppers({ isStale: (item) => stale.has(item), metrics, now: () => clock.time });
  const total = (page: string) => metrics.of('protect_shoppers_total', { page }).value();
  return { shoppers, stale, total, registry, clock };
}

function take(shoppers: Shoppers, ...lines: string[]): { lines: number; bad: number } {
  return shoppers.take(Buffer.from(`${lines.join('\n')}\n`));
}
