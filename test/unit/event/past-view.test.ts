import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HotItemEvent } from '../../../event/event.ts';
import { fromLine } from '../../../event/from-line.ts';
import { parse } from '../../../event/parse.ts';
import { createPastEvent, type PastEvent } from '../../../event/past-view.ts';
import { anyText } from '../../parts/any-text.ts';
import { runs } from '../../parts/full.ts';
import { line } from './lines.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const BOT = 'Googlebot/2.1 (+http://www.google.com/bot.html)';
const EVENT = parse(JSON.stringify(fromLine(line({ ua: BROWSER }), 'web-1')));

/** How often events had to be read the slow way. */
let slow = 0;

describe('a stored event', () => {
  test('is read without JSON.parse, as the sidecar writes it', () => {
    slow = 0;
    const event = read(create(), EVENT);
    expect(slow).toBe(0);
    expect([event.time(), event.name(), event.node(), event.weight()]).toEqual([
      EVENT.time,
      '4711',
      'web-1',
      1,
    ]);
    expect([event.isView(), event.isBot(), event.isNobody()]).toEqual([true, false, false]);
  });

  test('gives the same view on both read paths', () => {
    const text = fc.oneof(
      anyText({ minLength: 1, maxLength: 30 }),
      fc.constantFrom('4711', 'a"b', 'ü', '红色', '\\u0041'),
    );
    const changes = fc.record(
      {
        item: text,
        ip: fc.constantFrom('203.0.113.7', '2001:db8::1'),
        ua: fc.oneof(text, fc.constantFrom(BROWSER, BOT)),
        visitor: fc.constantFrom('0123456789abcdef', 'fedcba9876543210'),
        kind: fc.constantFrom('head', 'prefetch', 'test'),
        bot: fc.boolean(),
        weight: fc.integer({ min: 1, max: 10_000 }),
        node: text,
        cut: fc.constant(['ua']),
      },
      { requiredKeys: [] },
    );
    const event = create();
    fc.assert(
      fc.property(changes, ({ item, ...rest }) => {
        const value = { v: 1, id: EVENT.id, time: EVENT.time, uri: '/', item: item ?? '1', ...rest };
        const fast = factsOf(readText(event, JSON.stringify(value)));
        // Spaces are for JSON.parse.
        expect(factsOf(readText(event, JSON.stringify(value, null, 1)))).toEqual(fast);
      }),
    );
  });

  test("has the words of its item's name, too", () => {
    const event = create();
    for (const item of ['4711', 'a"b', 'ü', '红色']) {
      const words = read(event, { ...EVENT, item });
      expect(event.wordsOf(item)).toEqual([words.item(0), words.item(1)]);
    }
  });

  test.each<[string, Partial<HotItemEvent>, boolean]>([
    ['another address', { ip: '203.0.113.8' }, false],
    ['an address of IPv6', { ip: '2001:db8::1' }, false],
    ['another user agent', { ua: `${BROWSER}.1` }, false],
    ['another item', { item: '4712' }, true],
  ])('with %s is of the same visitor: %#', (_, change, isSame) => {
    const event = create();
    const visitor = read(event, EVENT).visitor();
    expect(read(event, { ...EVENT, ...change }).visitor() === visitor).toBe(isSame);
  });

  test('with a visitor key is from that visitor, whatever the address', () => {
    const event = create();
    const visitor = read(event, { ...EVENT, visitor: '0123456789abcdef' }).visitor();
    expect(read(event, { ...EVENT, visitor: '0123456789abcdef', ip: '203.0.113.9', ua: 'x' }).visitor()).toBe(
      visitor,
    );
  });

  test('without an address and a key has no visitor', () => {
    const { ip: _, ...dropped } = EVENT;
    const event = read(create(), dropped);
    expect([event.isNobody(), event.isBot()]).toEqual([true, false]);
  });

  test("is a bot's by its field, or by its user agent without the field", () => {
    const event = create();
    expect(read(event, { ...EVENT, bot: true }).isBot()).toBe(true);
    expect(read(event, { ...EVENT, ua: BOT }).isBot()).toBe(true);
  });

  test.each([
    '',
    '{',
    '{}',
    '[]',
    'null',
    '{"v":1}',
    '{"v":2,"id":"a","time":1795355712163,"uri":"/","item":"1"}',
    '{"v":1,"id":"a","time":-1,"uri":"/","item":"1"}',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/","item":""}',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/","item":"1"',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/","item":"1"}}',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/","item":"1","weight":0}',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/","item":"1","bot":"yes"}',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/","item":"1","kind":"odd"}',
    '{"v":1,"id":"a","time":1795355712163,"uri":"/"}',
    '{"v":1,"id":"a","time":1795355712163,"item":"1"}',
  ])('is rejected if `parse` rejects it: %s', (text) => {
    expect(() => parse(text)).toThrow();
    expect(() => readText(create(), text)).toThrow();
  });

  test('is rejected exactly if `parse` rejects it, whatever bytes are changed', () => {
    const text = JSON.stringify({ ...EVENT, weight: 2, bot: false });
    const change = fc.record({
      at: fc.nat(text.length - 1),
      by: fc.string({ maxLength: 3 }),
      cut: fc.nat(3),
    });
    const event = create();
    fc.assert(
      fc.property(change, ({ at, by, cut }) => {
        const changed = text.slice(0, at) + by + text.slice(at + cut);
        const [expected, found] = [
          nameOf(() => parse(changed).item),
          nameOf(() => readText(event, changed).name()),
        ];
        expect(found).toBe(expected);
      }),
      { numRuns: runs(2_000) },
    );
  });
});

function create(): PastEvent {
  return createPastEvent((value) => {
    slow++;
    return parse(value.toString('utf8'));
  });
}

function read(event: PastEvent, value: HotItemEvent): PastEvent {
  return readText(event, JSON.stringify(value));
}

/** With other bytes around it. */
function readText(event: PastEvent, text: string): PastEvent {
  const bytes = Buffer.from(text);
  event.read(Buffer.concat([Buffer.from('xxx'), bytes, Buffer.from('"}')]), 3, 3 + bytes.length);
  return event;
}

function factsOf(event: PastEvent): unknown[] {
  return [
    event.isView(),
    event.time(),
    event.weight(),
    event.isBot(),
    event.isNobody(),
    event.item(0),
    event.item(1),
    event.visitor(),
    event.id(0),
    event.id(1),
    event.name(),
    event.node(),
  ];
}

function nameOf(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
