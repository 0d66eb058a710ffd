import { describe, expect, test } from '@jest/globals';
import { createOverrides, MOST_OVERRIDES, type Override, TooManyOverrides } from '../../../heat/overrides.ts';

const pin: Override = { kind: 'pin', item: '4711', reason: 'campaign', by: 'alice' };
const ban: Override = { kind: 'ban', item: '4711', reason: 'a test page', by: 'alice' };

describe('pins and bans', () => {
  test('by command override those of the file, which apply again when they are cleared', () => {
    const overrides = createOverrides([]);
    overrides.setFile([{ ...ban, by: 'file' }]);
    overrides.set(pin);
    expect(overrides.of('4711')).toEqual(pin);
    expect(overrides.clear('4711')).toBe(true);
    expect(overrides.of('4711')).toMatchObject({ kind: 'ban', by: 'file' });
    expect(overrides.clear('4711')).toBe(false);
  });

  test('from the file: a ban overrides a pin, and both are removed with the file', () => {
    const overrides = createOverrides([]);
    overrides.setFile([ban, pin]);
    expect(overrides.of('4711')).toEqual(ban);
    overrides.setFile([]);
    expect(overrides.of('4711')).toBeUndefined();
  });

  test('from the file: a ban that ends gives way to the pin of its item', () => {
    const overrides = createOverrides([]);
    overrides.setFile([pin, { ...ban, until: 1_000 }]);
    expect(overrides.pinsAndBans()).toEqual({
      pins: [{ item: '4711', reason: 'campaign' }],
      bans: [{ item: '4711', reason: 'a test page', until: 1_000 }],
    });
    expect(overrides.of('4711')).toMatchObject(ban);
    expect(overrides.expire(1_000)).toBe(true);
    expect(overrides.of('4711')).toEqual(pin);
    expect(overrides.all()).toEqual([pin]);
    expect(overrides.pinsAndBans()).toMatchObject({ pins: [{ item: '4711' }], bans: [] });
  });

  test('from the file that have ended are in effect no more', () => {
    const overrides = createOverrides([]);
    overrides.setFile([{ ...pin, until: 1_000 }]);
    overrides.expire(1_000);
    expect(overrides.of('4711')).toBeUndefined();
    expect(overrides.all()).toEqual([]);
  });

  test('by command end at their time', () => {
    const overrides = createOverrides([{ ...pin, until: 1_000 }]);
    expect(overrides.expire(999)).toBe(false);
    expect(overrides.expire(1_000)).toBe(true);
    expect(overrides.all()).toEqual([]);
  });

  test('are passed to decisions as pins and bans, without their user', () => {
    const overrides = createOverrides([{ ...pin, from: 1, until: 2 }]);
    overrides.setFile([{ ...ban, item: '1', by: 'file' }]);
    expect(overrides.pinsAndBans()).toEqual({
      pins: [{ item: '4711', reason: 'campaign', from: 1, until: 2 }],
      bans: [{ item: '1', reason: 'a test page' }],
    });
  });

  test('are limited to one per item, and in number', () => {
    const overrides = createOverrides([]);
    for (let i = 0; i < MOST_OVERRIDES; i++) overrides.set({ ...pin, item: `${i}` });
    expect(() => overrides.set({ ...pin, item: 'one more' })).toThrow(TooManyOverrides);
    overrides.set({ ...ban, item: '0' });
    expect(overrides.byHand()).toHaveLength(MOST_OVERRIDES);
    expect(overrides.of('0')?.kind).toBe('ban');
  });
});
