import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventError, parse } from '../../../event/parse.ts';

const EVENT = { v: 1, id: '01a2', time: 1795355712163, uri: '/web/item/1', item: '1', ip: '203.0.113.7' };

describe('parse', () => {
  test('returns what the sidecar wrote', () => {
    expect(parse(JSON.stringify(EVENT))).toEqual(EVENT);
  });

  test('accepts an event without an address', () => {
    const { ip: _, ...event } = EVENT;
    expect(parse(JSON.stringify(event))).toEqual(event);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', undefined, 'event: is not JSON (got "not json")'],
    ['a list', [], 'event: must be a JSON object (got [])'],
    ['another version', { ...EVENT, v: 2 }, 'v: unknown version, this reads 1 (got 2)'],
    ['no id', { ...EVENT, id: undefined }, 'id: must be a non-empty string (got nothing)'],
    ['an id that is far too long', { ...EVENT, id: 'x'.repeat(129) }, 'id: longer than 128'],
    [
      'a time as text',
      { ...EVENT, time: '1795355712163' },
      'time: must be whole milliseconds since 1970, up to the year 9999 (got "1795355712163")',
    ],
    ['a time in microseconds', { ...EVENT, time: 1_795_355_712_163_000 }, 'time: must be whole milliseconds'],
    ['a time that no date can hold', { ...EVENT, time: 1e17 }, 'time: must be whole milliseconds since 1970'],
    ['a uri of the wrong type', { ...EVENT, uri: 7 }, 'uri: must be a non-empty string (got 7)'],
    ['a user agent of the wrong type', { ...EVENT, ua: {} }, 'ua: must be a string (got {})'],
    ['an empty address', { ...EVENT, ip: '' }, 'ip: must be a non-empty string (got "")'],
    ['a bot that is no answer', { ...EVENT, bot: 'yes' }, 'bot: must be true or false (got "yes")'],
    ['a weight below one', { ...EVENT, weight: 0 }, 'weight: must be a number from 1 to 1000000 (got 0)'],
    ['a cut that is no list', { ...EVENT, cut: 'ua' }, 'cut: must be a list of field names (got "ua")'],
  ])('rejects %s and names the field and the value', (_, value, message) => {
    expect(() => parse(value === undefined ? 'not json' : JSON.stringify(value))).toThrow(message);
  });

  test.each([
    ['nested deeper than it may be', 'is nested more than 16 deep', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['with more keys than it may have', 'has more than 1000 keys', `{${keys(1_001)}}`],
  ])('rejects an event that contains something %s, in any field', (_, problem, value) => {
    for (const field of ['v', 'id', 'time', 'uri', 'ua', 'cut', 'x']) {
      const json = `{${JSON.stringify(EVENT).slice(1, -1)},"${field}":${value}}`;
      expect(() => parse(json)).toThrow(new EventError('event', problem, JSON.parse(json)));
    }
    expect(() => parse(`[${value}]`)).toThrow('event: must be a JSON object (got more than is shown)');
  });

  test('throws nothing but an EventError, with a message of bounded length', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((o) => JSON.stringify({ ...EVENT, ...o })),
        ),
        (text) => {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(EventError);
            expect((error as Error).message.length).toBeLessThan(400);
          }
        },
      ),
    );
  });
});

function keys(count: number): string {
  return Array.from({ length: count }, (_, i) => `"k${i}":0`).join();
}
