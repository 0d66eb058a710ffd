import { describe, expect, test } from '@jest/globals';
import { difference, whyNotShared } from '../../../protect/judge.ts';
import { MOST_BYTES, type Page } from '../../../protect/page.ts';

const NOW = Date.UTC(2026, 10, 27);

describe('a page may not be shared that', () => {
  test.each<[string, Partial<Page>, string]>([
    ['is no page', { status: 404 }, 'answers 404'],
    ['sets cookies', headers({ 'set-cookie': ['a=secret; Path=/', 'b=1'] }), 'sets a, b'],
    ['sets a cookie without a name', headers({ 'set-cookie': ['\u001b[2J'] }), 'sets a cookie'],
    [
      'is private in the second header',
      headers({ 'cache-control': ['max-age=5', 'Private'] }),
      'says Cache-Control: Private',
    ],
    [
      'is old at once',
      headers({ 'cache-control': ['public,max-age="0"'] }),
      'says Cache-Control: max-age="0"',
    ],
    [
      'varies in the second header',
      headers({ vary: ['Accept-Encoding', 'accept-encoding, Cookie'] }),
      'varies by Cookie',
    ],
    ['varies by everything', headers({ vary: ['*'] }), 'varies by *'],
    [
      'is compressed',
      headers({ 'content-encoding': ['gzip'] }),
      'is compressed although nobody asked for it',
    ],
    [
      'has expired',
      headers({ expires: ['Thu, 19 Nov 1981 08:52:00 GMT'] }),
      'says that it has expired (Expires)',
    ],
    ['has an odd Expires', headers({ expires: ['0'] }), 'says that it has expired (Expires)'],
    ['is not for caches of nginx', headers({ 'x-accel-expires': ['@0'] }), 'says X-Accel-Expires: 0'],
    ['is large', { bytes: MOST_BYTES + 1, isWhole: false }, 'is larger than 5 MB'],
    ['is torn', { isWhole: false }, 'ended before it was whole'],
  ])('%s', (_, given, reason) => {
    expect(whyNotShared(page(given), NOW)?.reason).toBe(reason);
  });
});

test.each<[string, Partial<Page>]>([
  ['says nothing', {}],
  ['may be kept', headers({ 'cache-control': ['public, max-age=60, s-maxage=10'] })],
  ['varies by compression alone', headers({ vary: ['Accept-Encoding', ' accept-encoding'] })],
  ['expires later', headers({ expires: [new Date(NOW + 1_000).toUTCString()] })],
])('a page may be shared that %s', (_, given) => {
  expect(whyNotShared(page(given), NOW)).toBeUndefined();
});

test('finds where two pages differ, also if one is a prefix of the other', () => {
  const [a, b, longer] = ['abc', 'abd', 'abcd'].map((text) => page({ body: Buffer.from(text) }));
  if (a === undefined || b === undefined || longer === undefined) throw new Error('unreachable');
  expect(difference(a, b, 'by language')?.reason).toBe('differs by language at byte 2');
  expect(difference(a, longer, 'by language')?.reason).toBe('differs by language at byte 3');
  expect(difference(a, page({ body: Buffer.from('abc') }), 'by language')).toBeUndefined();
});

function headers(values: Record<string, string[]>): Partial<Page> {
  return { headers: new Map(Object.entries(values)) };
}

function page(given: Partial<Page>): Page {
  return {
    status: 200,
    headers: new Map(),
    body: Buffer.from('page'),
    bytes: 4,
    isWhole: true,
    waitedMs: 1,
    ...given,
  };
}
