import { expect, test } from '@jest/globals';
import { createTargets } from '../../../protect/targets.ts';

test('the address of most requests is chosen, and one without a query before all others', () => {
  const targets = followed();
  targets.saw('a', 'shop.test', '/item/a?utm_source=x');
  expect(targets.of('a')?.target).toBe('/item/a?utm_source=x');
  targets.saw('a', 'shop.test', '/de/item/a');
  targets.saw('a', 'shop.test', '/item/a');
  targets.saw('a', 'shop.test', '/item/a');
  for (let i = 0; i < 5; i++) targets.saw('a', 'shop.test', '/item/a?utm_source=x');
  expect(targets.of('a')?.target).toBe('/item/a');
});

test.each([
  '',
  'item/a',
  '//evil.test/a',
  'http://evil.test/',
  '/a b',
  '/a\r\nHost: evil.test',
  '/\u0000',
  '/红',
  `/${'a'.repeat(3_000)}`,
])('what no client may write is no address: %j', (target) => {
  const targets = followed();
  targets.saw('a', 'shop.test', target);
  expect(targets.of('a')).toBeUndefined();
});

test('enough is enough: of the seventeenth request on nothing is looked at', () => {
  const targets = followed();
  for (let i = 0; i < 16; i++) {
    expect([targets.wantsAny(), targets.isWanted('a')]).toEqual([true, true]);
    targets.saw('a', 'shop.test', `/item/a?${i}`);
  }
  expect([targets.wantsAny(), targets.isWanted('a')]).toEqual([false, false]);
  targets.saw('a', 'shop.test', '/item/a');
  expect(targets.of('a')?.target).toBe('/item/a?0');
});

test('what is not followed any more is forgotten', () => {
  const targets = followed();
  targets.saw('a', 'shop.test', '/item/a');
  targets.follow(new Set(['b']));
  expect([targets.of('a'), targets.isWanted('a'), targets.isWanted('b')]).toEqual([undefined, false, true]);
  targets.saw('a', 'shop.test', '/item/a');
  expect(targets.of('a')).toBeUndefined();
});

test('the host is that of the list by which most come, whatever clients write', () => {
  const targets = followed();
  for (const host of ['evil.test', 'evil.test', 'WWW.shop.test', 'www.shop.test', 'shop.test', ''])
    targets.saw('a', host, '/item/a');
  expect(targets.of('a')).toEqual({ host: 'www.shop.test:8080', target: '/item/a' });
});

test('an item of which only other hosts were asked has no address, though it was seen', () => {
  const targets = followed();
  expect(targets.wasSeen('a')).toBe(false);
  for (let i = 0; i < 20; i++) targets.saw('a', 'evil.test', '/item/a');
  expect([targets.of('a'), targets.wasSeen('a')]).toEqual([undefined, true]);
});

test.each([15, 16, 17, 100])(
  '%i requests of another host do not keep that of a shopper from being seen',
  (count) => {
    const targets = followed();
    for (let i = 0; i < count; i++) targets.saw('a', 'evil.test', '/item/a');
    expect([targets.wantsAny(), targets.isWanted('a')]).toEqual([true, true]);
    for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', '/item/a');
    expect(targets.of('a')?.target).toBe('/item/a');
    expect([targets.wantsAny(), targets.isWanted('a')]).toEqual([false, false]);
  },
);

test('another address takes over where twice as many come by it, and not before', () => {
  const targets = followed();
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', '/item/a');
  const again = (others: number) => {
    targets.lookAgain('a');
    expect(targets.wantsAny()).toBe(true);
    for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', i < others ? '/b/item/a' : '/item/a');
    return targets.of('a')?.target;
  };
  expect([again(10), again(11)]).toEqual(['/item/a', '/b/item/a']);
});

test.each([
  [3, '/bad/item/a'],
  [4, '/item/a'],
  [6, '/item/a'],
  [16, '/item/a'],
])('an address that was refused gives way where %i of 16 come by another one', (others, expected) => {
  const targets = followed();
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', '/bad/item/a');
  targets.refuse('a', { host: 'shop.test', target: '/bad/item/a' });
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', i < others ? '/item/a' : '/bad/item/a');
  expect(targets.of('a')?.target).toBe(expected);
});

test('an address with a query takes over from one without that was refused', () => {
  const targets = followed();
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', '/item/a');
  targets.refuse('a', { host: 'shop.test', target: '/item/a' });
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', i < 2 ? '/item/a' : '/index.php?id=a');
  expect(targets.of('a')?.target).toBe('/index.php?id=a');
});

test('an address that was refused stays where nobody comes by another one, and is not refused for ever', () => {
  const targets = followed();
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', '/item/a');
  targets.refuse('a', { host: 'shop.test', target: '/item/a' });
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', '/item/a');
  expect(targets.of('a')?.target).toBe('/item/a');
  targets.lookAgain('a');
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', i < 7 ? '/other/a' : '/item/a');
  expect(targets.of('a')?.target).toBe('/item/a');
});

test('an address that was refused gives way to the one of most requests, although that was chosen meanwhile', () => {
  const targets = followed();
  targets.saw('a', 'shop.test', '/item/a/none');
  for (let i = 0; i < 15; i++) targets.saw('a', 'shop.test', '/item/a');
  targets.refuse('a', { host: 'shop.test', target: '/item/a/none' });
  for (let i = 0; i < 16; i++) targets.saw('a', 'shop.test', i < 5 ? '/item/a/none' : '/item/a');
  expect(targets.of('a')?.target).toBe('/item/a');
});

function followed() {
  const targets = createTargets(['shop.test', 'www.shop.test:8080']);
  targets.follow(new Set(['a']));
  return targets;
}
