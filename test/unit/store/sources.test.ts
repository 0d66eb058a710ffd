import { expect, test } from '@jest/globals';
import { sourcesOf } from '../../../store/sources.ts';

const QUERY = { item: '', from: 0, to: 1, by: 'referrer' as const, limit: 2 };

test('pages of one host are one source, what is no URL stays as it is, and the rest is what is left', () => {
  const texts = [
    ['https://a.example/x', 3],
    ['http://A.EXAMPLE:80', 1],
    ['https://u:p@a.example?q', 2],
    ['about:blank', 4],
    ['https://', 1],
  ] as const;
  expect(sourcesOf(texts, 20, QUERY)).toEqual({
    top: [
      { name: 'a.example', views: 5 },
      { name: 'about:blank', views: 4 },
    ],
    rest: 11,
  });
});

test.each([
  ['utm_source=mail', 'mail'],
  ['a=1&utm_source=news+letter%21&b', 'news letter!'],
  ['utm_source=first&utm_source=second', 'first'],
  ['utm_source=%FF', '%FF'],
  [`utm_source=${'x'.repeat(4_000)}`, 'x'.repeat(100)],
  ['autm_source=mail', ''],
  ['utm_source', ''],
  ['', ''],
])('of the query string %s the source is %s', (args, name) => {
  expect(sourcesOf([[args, 1]], 1, { ...QUERY, by: 'utm_source' }).top).toEqual([{ name, views: 1 }]);
});
