import { describe, expect, test } from '@jest/globals';
import type { LiveHead } from '../../../heat/live.ts';
import { type BannerContext, bannerOf } from '../../../page/banner.ts';

const HEAD: LiveHead = {
  node: 'web-1',
  build: 'a',
  now: 0,
  five: 0,
  shop: { all: 0, people: 0 },
  cap: 100,
  held: 0,
  rulesProblems: 0,
};

const FINE: BannerContext = { isStale: false, isLoggedOut: false, build: 'a' };

describe('the banner of the live page', () => {
  test('is empty where nothing is known, and where all is well', () => {
    expect([bannerOf(undefined, { ...FINE, build: undefined }), bannerOf(HEAD, FINE)]).toEqual(['', '']);
  });

  test.each<[string, Partial<LiveHead>, RegExp]>([
    [
      'the page has changed since it was opened',
      { build: 'b' },
      /^hotitem has another version.*: reload it\.$/,
    ],
    ['the list is frozen', { frozen: { since: 1 } }, /^Frozen since .*: nginx acts on no hot item\./],
    ['nginx does not see it', { failure: true }, /^nginx does not see hot items\./],
    ['the cap holds items back', { held: 3 }, /the cap is 100 for each signal\.$/],
    ['the rules cannot be used', { rulesProblems: 1 }, /^The file of rules cannot be used/],
  ])('says so where %s', (_, change, words) => {
    expect(bannerOf({ ...HEAD, ...change }, FINE)).toMatch(words);
  });

  test('says only since when it is stale, where it is', () => {
    const stale = (isLoggedOut: boolean) =>
      bannerOf({ ...HEAD, failure: true, build: 'b' }, { ...FINE, isStale: true, isLoggedOut });
    expect(stale(false)).toMatch(/^Stale since .*: the sidecar does not answer\. .*by itself\.$/);
    expect(stale(true)).toMatch(/^Stale since .*: your login has ended: reload this page\. .*by itself\.$/);
  });
});
