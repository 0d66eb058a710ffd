import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HotItemEvent } from '../../../../event/event.ts';
import { fromLine } from '../../../../event/from-line.ts';
import { visitorNumber } from '../../../../store/elasticsearch/visitor-number.ts';
import { documentOf } from '../../../parts/ecs-document.ts';
import { line, NODE } from '../../event/lines.ts';

const EVENT: HotItemEvent = {
  v: 1,
  id: '01a2038a1aa34b6e0c700ca5c40ed364',
  time: 1795355712163,
  uri: '/web/item/a b',
  raw: '/web/item/a%20b',
  args: 'from=mail',
  item: '4711',
  ip: '2001:db8::7',
  host: 'www.example.com',
  method: 'GET',
  ua: 'Mozilla/5.0',
  ref: 'https://www.example.com/',
  node: 'web-1',
  weight: 4,
  visitor: '6f1c2a9e0b5d4738',
  kind: 'head',
  bot: true,
  cut: ['ua'],
};

describe('an event as an ECS document', () => {
  test('has every field where ECS puts it', () => {
    expect(documentOf(EVENT)).toEqual({
      '@timestamp': '2026-11-22T13:55:12.163Z',
      event: { id: EVENT.id, dataset: 'hotitem.view', created: '2026-11-22T13:55:12.163Z' },
      url: {
        original: '/web/item/a%20b?from=mail',
        path: '/web/item/a b',
        query: 'from=mail',
        domain: 'www.example.com',
      },
      http: { request: { method: 'GET', referrer: 'https://www.example.com/' } },
      client: { address: '2001:db8::7', ip: '2001:db8::7' },
      source: { ip: '2001:db8::7' },
      user_agent: { original: 'Mozilla/5.0' },
      host: { name: 'web-1' },
      hot_item: {
        id: '4711',
        weight: 4,
        visitor: '6f1c2a9e0b5d4738',
        visitor_number: visitorNumber('6f1c2a9e0b5d4738'),
        kind: 'head',
        bot: true,
        cut: ['ua'],
      },
    });
  });

  test('has no field that the event does not have', () => {
    const { v, id, time, uri, item } = EVENT;
    expect(documentOf({ v, id, time, uri, item, ip: '2001:db8::7' })).toEqual({
      '@timestamp': '2026-11-22T13:55:12.163Z',
      event: { id: EVENT.id, dataset: 'hotitem.view', created: '2026-11-22T13:55:12.163Z' },
      url: { original: '/web/item/a b', path: '/web/item/a b' },
      client: { address: '2001:db8::7', ip: '2001:db8::7' },
      source: { ip: '2001:db8::7' },
      hot_item: { id: '4711', weight: 1, visitor: expect.any(String), visitor_number: expect.any(Number) },
    });
  });

  test('has no ip if the client has none', () => {
    expect(documentOf({ ...EVENT, ip: 'unix:' })).toMatchObject({ client: { address: 'unix:' } });
    expect(documentOf({ ...EVENT, ip: 'unix:' })).not.toHaveProperty('source');
  });

  test('has a hashed address in a field that is not of type ip', () => {
    const document = documentOf({ ...EVENT, ip: '0123456789012345' });
    expect(document.client).toEqual({ address: '0123456789012345' });
    expect(document).not.toHaveProperty('source');
  });

  test('has no client if its address was dropped', () => {
    const { ip: _, ...dropped } = EVENT;
    expect(documentOf(dropped).client).toEqual({});
    expect(documentOf(dropped)).not.toHaveProperty('source');
  });

  test('marks a bot, and has no mark for others', () => {
    expect(documentOf({ ...EVENT, bot: false }).hot_item).not.toHaveProperty('bot');
  });

  test('of any line is valid JSON, with a date and without empty fields', () => {
    const bytes = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)) });
    fc.assert(
      fc.property(bytes, bytes, fc.constantFrom('', 'unix:', '203.0.113.7', '2001:db8::7'), (uri, ua, ip) => {
        const event = fromLine(line({ uri: `/${uri}`, ua, ip }), NODE);
        if ('reason' in event) return;
        const document = documentOf(event);
        expect(JSON.parse(JSON.stringify(document))).toEqual(document);
        expect(Date.parse(document['@timestamp'])).toBe(event.time);
      }),
    );
  });
});
