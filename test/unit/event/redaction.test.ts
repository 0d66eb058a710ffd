import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IP_MODES } from '../../../event/address-mask.ts';
import type { HotItemEvent } from '../../../event/event.ts';
import { OMITTABLE } from '../../../event/fields.ts';
import { parse } from '../../../event/parse.ts';
import { createRedaction } from '../../../event/redaction.ts';

const EVENT: Required<HotItemEvent> = {
  v: 1,
  id: '01a2038a1aa34b6e0c700ca5c40ed364',
  time: 1795355712163,
  uri: '/web/item/a b',
  raw: '/web/item/a%20b',
  args: 'from=mail',
  item: '4711',
  ip: '203.0.113.7',
  host: 'www.example.com',
  method: 'GET',
  ua: 'Mozilla/5.0',
  ref: 'https://www.example.com/',
  visitor: '6f1c2a9e0b5d4738',
  kind: 'head',
  bot: true,
  node: 'web-1',
  weight: 4,
  name: 'A shoe',
  category: 'Shoes',
  cut: ['uri', 'ua'],
};
const SALT = 'a secret of the nodes';

describe('redaction of an event', () => {
  test('keeps everything by default', () => {
    expect(createRedaction({ ip: { mode: 'full' }, omit: [] })(EVENT)).toEqual(EVENT);
  });

  test.each([
    ['truncate', '203.0.113.0'],
    ['hash', '9ce4fb03f1e93110'],
  ] as const)('with %s keeps all but the address, which becomes %s', (mode, ip) => {
    expect(createRedaction({ ip: { mode, salt: SALT }, omit: [] })(EVENT)).toEqual({ ...EVENT, ip });
  });

  test('with drop keeps all but the address', () => {
    const { ip: _, ...rest } = EVENT;
    expect(createRedaction({ ip: { mode: 'drop' }, omit: [] })(EVENT)).toStrictEqual(rest);
  });

  test.each(OMITTABLE)('without %s keeps the rest', (field) => {
    const { [field]: _, ...rest } = EVENT;
    const kept = createRedaction({ ip: { mode: 'full' }, omit: [field] })(EVENT);
    expect(kept).toStrictEqual(field === 'ua' ? { ...rest, cut: ['uri'] } : rest);
  });

  test('with everything left out keeps what views are counted by', () => {
    const { v, id, time, uri, item, kind, weight, name, category } = EVENT;
    expect(createRedaction({ ip: { mode: 'drop' }, omit: OMITTABLE })(EVENT)).toStrictEqual({
      v,
      id,
      time,
      uri,
      item,
      kind,
      weight,
      name,
      category,
      cut: ['uri'],
    });
  });

  test('gives an event that parse accepts, without the omitted fields, and does not change the original', () => {
    const event = fc
      .record(
        {
          raw: fc.string(),
          args: fc.string(),
          host: fc.string(),
          method: fc.string(),
          ua: fc.string(),
          ref: fc.string(),
          node: fc.string(),
          bot: fc.boolean(),
          ip: fc.oneof(fc.ipV4(), fc.ipV6()),
        },
        { requiredKeys: [] },
      )
      .map((fields): HotItemEvent => ({ v: 1, id: '01a2', time: 1, uri: '/', item: '1', ...fields }));
    fc.assert(
      fc.property(event, fc.constantFrom(...IP_MODES), fc.subarray([...OMITTABLE]), (given, mode, omit) => {
        const before = JSON.stringify(given);
        const kept = createRedaction({ ip: { mode, salt: SALT }, omit })(given);
        const text = JSON.stringify(kept);
        expect(parse(text)).toStrictEqual(kept);
        expect(omit.filter((field) => field in kept)).toEqual([]);
        if (mode === 'hash' || mode === 'drop') expect(text).not.toContain(given.ip ?? '"ip"');
        expect(JSON.stringify(given)).toBe(before);
      }),
    );
  });
});
