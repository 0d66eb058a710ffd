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
