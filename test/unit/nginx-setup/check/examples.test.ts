import { describe, expect, test } from '@jest/globals';
import { examplesOf } from '../../../../nginx-setup/check/examples.ts';
import { toRegExp } from '../../../../nginx-setup/conf/locate.ts';

describe('examples of a pattern', () => {
  test.each([
    ['^(?:/web)?/item/(?<id>[\\w.-]+?)(?:\\.html)?$', '/web/item/4.html', '/item/4'],
    ['^/(?<slug>[^/]+)\\.html$', '/4.html'],
    ['^(?:/[a-z][a-z](?:-[a-z]+)?)?/product/(?<slug>[^/]+)/?$', '/aa-a/product/4/', '/product/4'],
    ['^/(?:[^/]+/)*(?<number>\\d+)-[^/]+\\.html$', '/4/4-4.html', '/4-4.html'],
    ['^/(?P<name>a{3}|b)$', '/aaa', '/b'],
    ['^/x(?!y)z$', '/xz'],
  ])('of %s include %s and %s', (pattern, ...texts) => {
    expect(examplesOf(pattern, false)).toEqual(expect.arrayContaining(texts));
  });

  test.each(['^/[', '(', '^/(?<n>', '(?i)a', '\\p{L}+$^x', '[[:alpha:]'])(
    'of %s are few, and match',
    (pattern) => {
      for (const text of examplesOf(pattern, false)) expect(toRegExp(pattern, false)?.test(text)).toBe(true);
    },
  );
});
