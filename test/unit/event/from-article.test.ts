import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromArticle, isArticle } from '../../../event/from-article.ts';
import { EventError } from '../../../event/parse.ts';
import { toInstant } from '../../../event/wall-clock.ts';

const MESSAGE = {
  uri: '/web/item/4711.html',
  ip: '203.0.113.7',
  token: 'c2VzYW1l',
  actime: '2026-05-22 19:11:42',
};
const RECORD = { place: 'collection_hot_item-3-1207', time: 1_795_355_712_163, timeZone: 'UTC' };

describe("a message in the article's format", () => {
  test('is distinguished from an event of ours', () => {
    expect(isArticle(MESSAGE)).toBe(true);
    expect(isArticle({ ...MESSAGE, v: 1 })).toBe(false);
    expect(isArticle({ uri: '/item/1' })).toBe(false);
    expect(isArticle('text')).toBe(false);
  });

  test("becomes an event with an id from its record's offset and time, Kafka's time, and no token", () => {
    expect(fromArticle(MESSAGE, RECORD)).toEqual({
      v: 1,
      id: 'collection_hot_item-3-1207-1795355712163',
      time: 1_795_355_712_163,
      uri: '/web/item/4711.html',
      item: '4711',
      ip: '203.0.113.7',
    });
  });

  test.each([
    ['UTC', '2026-11-22T19:05:42.000Z'],
    ['Asia/Shanghai', '2026-11-22T11:05:42.000Z'],
    ['America/St_Johns', '2026-11-22T22:35:42.000Z'],
  ])('has month and minute swapped, which is corrected without a record time, in %s', (timeZone, time) => {
    const event = fromArticle(MESSAGE, { place: 'a', time: undefined, timeZone });
    expect(event.id).toBe('a-20260522191142');
    expect(new Date(event.time).toISOString()).toBe(time);
  });

  test.each([
    ['a month of 13', '2026-05-22 19:13:42'],
    ['a day that is none', '2026-05-31 19:02:42'],
    ['no time at all', 'yesterday'],
    ['a number', 1_795_355_712],
    ['nothing', null],
  ])('has no time with %s in `actime`, unless its record has one', (_, actime) => {
    expect(() => fromArticle({ ...MESSAGE, actime }, { ...RECORD, time: undefined })).toThrow(/^actime: /);
    expect(fromArticle({ ...MESSAGE, actime }, RECORD).time).toBe(RECORD.time);
  });

  test.each([1_795_355_712_163_000, 1_795_355_712_163_000_000, -1])(
    'ignores the record time %d, which is not a time',
    (time) => {
      expect(fromArticle(MESSAGE, { ...RECORD, time }).time).toBe(
        fromArticle(MESSAGE, { ...RECORD, time: undefined }).time,
      );
    },
  );

  test.each([
    ['203.0.113.7, 198.51.100.1', '203.0.113.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['unknown', undefined],
    ['fe80::1%eth0', undefined],
    [undefined, undefined],
    [7, undefined],
  ])('whose address is %j keeps %j of it', (ip, kept) => {
    expect(fromArticle({ ...MESSAGE, ip }, RECORD).ip).toBe(kept);
  });

  test.each([
    ['/item/a.b-c.html', 'a.b-c'],
    ['/web/item/7', '7'],
    ['/other/7.html', '/other/7.html'],
  ])('of %s is a view of %s', (uri, item) => {
    expect(fromArticle({ ...MESSAGE, uri }, RECORD).item).toBe(item);
  });

  test.each([[''], ['item/1'], [undefined], [{}]])('without a path (%j) is not a view', (uri) => {
    expect(() => fromArticle({ ...MESSAGE, uri }, RECORD)).toThrow('uri: must be a path');
  });

  test('is truncated if it is too long, and marked so', () => {
    const event = fromArticle({ ...MESSAGE, uri: `/${'😀'.repeat(2_000)}` }, RECORD);
    expect(event.cut).toEqual(['uri', 'item']);
    expect(event.uri).toHaveLength(2_048);
    expect(event.uri.isWellFormed()).toBe(true);
  });

  test('throws nothing but an EventError', () => {
    const anything = fc.record({ uri: fc.anything(), ip: fc.anything(), actime: fc.anything() });
    fc.assert(
      fc.property(anything, (message) => {
        try {
          fromArticle(message, { ...RECORD, time: undefined });
        } catch (error) {
          expect(error).toBeInstanceOf(EventError);
        }
      }),
    );
  });
});

describe('a wall clock', () => {
  const noon = { month: 7, day: 1, hour: 12, minute: 0, second: 0 };

  test.each([
    ['in summer', { year: 2026, ...noon }, '2026-07-01T10:00:00.000Z'],
    ['in winter', { year: 2026, ...noon, month: 1 }, '2026-01-01T11:00:00.000Z'],
    ['in the hour that comes twice', at(10, 25, 2, 30), '2026-10-25T00:30:00.000Z'],
    ['in the hour that is left out', at(3, 29, 2, 30), '2026-03-29T01:30:00.000Z'],
    ['right after that', at(3, 29, 3, 0), '2026-03-29T01:00:00.000Z'],
  ])('%s in Berlin is converted to UTC', (_, clock, time) => {
    expect(new Date(toInstant(clock, 'Europe/Berlin') ?? 0).toISOString()).toBe(time);
  });

  function at(month: number, day: number, hour: number, minute: number) {
    return { year: 2026, month, day, hour, minute, second: 0 };
  }
});
