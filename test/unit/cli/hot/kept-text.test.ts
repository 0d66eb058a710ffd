import { expect, test } from '@jest/globals';
import { nginxText } from '../../../../cli/hot/kept-text.ts';
import type { SeenEnds, SeenLimit, SeenShoppers } from '../../../../protect/shoppers.ts';

const SINCE = Date.parse('2026-11-22T15:26:07Z');
const NONE: SeenShoppers = { shared: 0, stale: 0, own: 0, missing: 0, unkept: 0, since: SINCE, at: SINCE };

test.each<[Partial<SeenShoppers>, string]>([
  [{ shared: 412 }, '412 from the cache, 0 to the origin'],
  [{ shared: 400, stale: 12 }, '412 from the cache (12 late), 0 to the origin'],
  [{ unkept: 3 }, '0 from the cache, 3 to the origin (3 while it was not cached)'],
  [
    { shared: 9, own: 2, missing: 1, unkept: 3 },
    '9 from the cache, 6 to the origin (2 must not share, 1 found no page, 3 while it was not cached)',
  ],
])('what nginx did with requests of shoppers: %j', (counts, said) => {
  const shoppers = { ...NONE, ...counts };
  expect(nginxText({ actions: ['cache'], shoppers, why: [] }, 0)).toEqual([
    'nginx, where it is included: cache',
    `requests of shoppers, counted since 15:26:07Z: ${said}`,
  ]);
});

test.each<[Partial<SeenLimit>, string]>([
  [{ passed: 40 }, 'limited 0 of 40 requests'],
  [{ passed: 40, limited: 2 }, 'limited 2 of 42 requests'],
  [{ passed: 40, wouldLimit: 2 }, 'would have limited 2 of 42 requests (dry run)'],
  [{ passed: 40, limited: 1, wouldLimit: 2 }, 'limited 1, would have limited 2 of 43 requests (dry run)'],
])('what limit.conf did: %j', (counts, said) => {
  const limit = { passed: 0, limited: 0, wouldLimit: 0, since: SINCE, at: SINCE, ...counts };
  expect(nginxText({ actions: ['limit'], limit, why: [] }, 0)).toEqual([
    'nginx, where it is included: limit',
    `limit.conf, since 15:26:07Z: ${said}`,
  ]);
});

test.each<[Partial<SeenEnds>, string]>([
  [{ ok: 40 }, 'none of 40 requests ended badly'],
  [
    { ok: 3_387, error: 9, notFound: 2, rejected: 1, left: 1 },
    '13 of 3400 requests ended badly: 9 with an error (5xx), 2 not found (404), 1 rejected (429), 1 left before the end of the answer',
  ],
])('how requests ended: %j', (counts, said) => {
  const ends = { ok: 0, notFound: 0, rejected: 0, error: 0, left: 0, since: SINCE, at: SINCE, ...counts };
  expect(nginxText({ actions: ['limit'], ends, why: [] }, 0)).toEqual([
    'nginx, where it is included: limit',
    `since 15:26:07Z, ${said}`,
  ]);
});

test('where nginx does not log them, nothing is said of them', () => {
  expect(nginxText({ actions: ['cache'], why: [] }, 0)).toEqual(['nginx, where it is included: cache']);
});
