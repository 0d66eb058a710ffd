import { expect, test } from '@jest/globals';
import { createTargets } from '../../../protect/targets.ts';

test('the address of most requests is chosen, and one without a query before all others', () => {
  const targets = followed();
  targets.saw('a', '/item/a?utm_source=x');
  expect(targets.of('a')).toBe('/item/a?utm_source=x');
  targets.saw('a', '/de/item/a');
  targets.saw('a', '/item/a');
  targets.saw('a', '/item/a');
  for (let i = 0; i < 5; i++) targets.saw('a', '/item/a?utm_source=x');
  expect(targets.of('a')).toBe('/item/a');
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
  targets.saw('a', target);
  expect(targets.of('a')).toBeUndefined();
});

test('enough is enough: of the seventeenth request on nothing is looked at', () => {
  const targets = followed();
  for (let i = 0; i < 16; i++) {
    expect([targets.wantsAny(), targets.isWanted('a')]).toEqual([true, true]);
    targets.saw('a', `/item/a?${i}`);
  }
  expect([targets.wantsAny(), targets.isWanted('a')]).toEqual([false, false]);
  targets.saw('a', '/item/a');
  expect(targets.of('a')).toBe('/item/a?0');
});

test('what is not followed any more is forgotten', () => {
  const targets = followed();
  targets.saw('a', '/item/a');
  targets.follow(new Set(['b']));
  expect([targets.of('a'), targets.isWanted('a'), targets.isWanted('b')]).toEqual([undefined, false, true]);
  targets.saw('a', '/item/a');
  expect(targets.of('a')).toBeUndefined();
});

function followed() {
  const targets = createTargets();
  targets.follow(new Set(['a']));
  return targets;
}
