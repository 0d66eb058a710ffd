import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HotItemEvent } from '../../../event/event.ts';
import { visitorOf } from '../../../event/visitor.ts';

const EVENT: HotItemEvent = { v: 1, id: '01a2', time: 1, uri: '/', item: '1' };

test('the visitor is the visitor key if there is one', () => {
  const visitor = '6f1c2a9e0b5d4738';
  expect(visitorOf({ ...EVENT, ip: '203.0.113.7', ua: 'a', visitor })).toBe(visitor);
  expect(visitorOf({ ...EVENT, visitor })).toBe(visitor);
});

test('without a key, views with the same address and user agent are from one visitor', () => {
  const agents = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), agents, agents, (ip, otherIp, ua, otherUa) => {
      const visitor = visitorOf({ ...EVENT, ip, ua });
      expect(visitorOf({ ...EVENT, ip, ua })).toBe(visitor);
      expect(visitorOf({ ...EVENT, ip: otherIp, ua }) === visitor).toBe(ip === otherIp);
      expect(visitorOf({ ...EVENT, ip, ua: otherUa }) === visitor).toBe(ua === otherUa);
      expect(visitorOf({ ...EVENT, ip })).not.toBe(visitor);
      expect(visitor).toMatch(/^[\d.]+ [0-9a-z]{1,7}$/);
    }),
  );
});

test('a hundred thousand visitors have no collisions', () => {
  const visitors = Array.from({ length: 100_000 }, (_, i) =>
    visitorOf({ ...EVENT, ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, ua: `Mozilla/5.0 (${i % 7})` }),
  );
  expect(new Set(visitors).size).toBe(100_000);
});

test('without key and address there is no visitor', () => {
  expect(visitorOf({ ...EVENT, ua: 'Mozilla/5.0' })).toBeUndefined();
});
