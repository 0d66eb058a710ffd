import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AddressMaskOptions, IP_MODES } from '../../../event/address-mask.ts';
import { createBotTest } from '../../../event/bot-test.ts';
import type { HotItemEvent } from '../../../event/event.ts';
import { createEventWriter, type Extent } from '../../../event/event-writer.ts';
import { FIELDS, OMITTABLE, type Omittable } from '../../../event/fields.ts';
import { fromLine } from '../../../event/from-line.ts';
import { createLine } from '../../../event/line.ts';
import { parsePlain } from '../../../event/parse-plain.ts';
import { createRedaction } from '../../../event/redaction.ts';
import { createVisitorHash } from '../../../event/visitor.ts';
import { runs } from '../../parts/full.ts';
import { line, lineOfVersion1, NODE } from './lines.ts';

const EVERYTHING: Extent = { oneIn: 1, bare: false };
const SALT = 'a secret of the nodes';
const reader = createLine();

type Made = { node?: string; extent?: Extent; ip?: AddressMaskOptions; omit?: readonly Omittable[] };

/** The JSON that is written for a line which begins in the middle of a buffer, into the middle of another. */
function written(
  text: string,
  { node = NODE, extent = EVERYTHING, ip = { mode: 'full' }, omit = [] }: Made = {},
) {
  const writer = createEventWriter({
    node,
    hashVisitor: createVisitorHash(),
    isBot: createBotTest(),
    ip,
    omit,
  });
  if (!reader.read(Buffer.from(`before\n${text}\nafter`, 'latin1'), 7)) return undefined;
  const out = Buffer.alloc(5 + writer.mostBytes(reader), 0xee);
  const end = writer.write(reader, out, 5, extent);
  expect(end).toBeLessThanOrEqual(out.length);
  expect(out.subarray(0, 5).every((byte) => byte === 0xee)).toBe(true);
  const json = out.toString('utf8', 5, end);
  expect(json.indexOf('\n')).toBe(json.length - 1);
  return json.slice(0, -1);
}

/** Those of which a mask keeps no beginning as it is, and their neighbours. */
const ODD_ADDRESSES = fc.constantFrom(
  ...[
    '',
    'unix:',
    '::',
    '::1',
    '::ffff:1.2.3.4',
    '::FFFF:1.2.3.4',
    '::ffff:102:304',
    '0:0:0:0:0:ffff:1.2.3.4',
  ],
  ...['2001:db8::7', '2001:db8:0:1::7', '2001:db8:1:0::7', '2001:DB8:1::7', '2001:0db8:1::7', '2001:db8:1::'],
  ...['2002:102:3ff::1', '2002:1:2:3:4:5:6:7', '20020:1::', '1:2:3:4:5:6:7:8', '64:ff9b::1.2.3.4'],
);
/** Characters that have a meaning somewhere, and some that have none. */
const characters = fc.constantFrom(...'ab1:./?#%&"\\ \x00\x1f\x7f\xc3\xa9\xff-_2F');
const odd = fc.string({ unit: characters, maxLength: 12 });
const plain = fc.string({ unit: fc.constantFrom(...'ab1:./-_ '), maxLength: 12 });
const longest = (limit: number) =>
  fc
    .tuple(
      fc.integer({ min: limit - 1, max: limit + 1 }),
      fc.constantFrom('x', '\xc3\xa9', '\xf0\x9f\x98\x80'),
    )
    .map(([n, character]) => character.repeat(n));
const field = (limit: number) =>
  fc.oneof(
    { weight: 20, arbitrary: plain },
    { weight: 4, arbitrary: odd },
    { weight: 1, arbitrary: longest(limit) },
  );
const anyLine = fc.record({
  version: fc.constantFrom('1', '2', '1/2', '2/10'),
  ip: fc.oneof(fc.ipV4(), fc.ipV6(), ODD_ADDRESSES),
  method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST'), field(FIELDS.method.limit)),
  host: field(FIELDS.host.limit),
  uri: fc.oneof(
    odd.map((rest) => `/web/item/1${rest}`),
    plain.map((rest) => `/item?${rest}`),
    longest(FIELDS.uri.limit).map((rest) => `/${rest}`),
  ),
  item: field(FIELDS.item.limit),
  ref: field(FIELDS.ref.limit),
  purpose: fc.oneof(fc.constantFrom('', 'prefetch', 'part'), plain),
  visitor: field(40),
  ua: field(FIELDS.ua.limit),
});

describe('the event of a line', () => {
  test('is written as JSON in the order that is read fastest', () => {
    const text = line({ version: '2/4', uri: '/web/item/1?a=1', visitor: 'v', method: 'HEAD', ua: 'curl/8' });
    const json = written(text) ?? '';
    expect(json).toBe(
      '{"v":1,"id":"01a2038a1aa34b6e0c700ca5c40ed364","time":1795355712163,"uri":"/web/item/1","item":"4711","ip":"203.0.113.7",' +
        '"args":"a=1","host":"www.example.com","method":"HEAD","ua":"curl/8","ref":"https://www.example.com/","node":"web-1",' +
        `"visitor":"${createVisitorHash()('v', 1795355712163)}","kind":"head","bot":true,"weight":4}`,
    );
    expect(parsePlain(json)).toEqual(JSON.parse(json));
  });

  test('contains what the privacy settings allow, with the right weight, for any line', () => {
    fc.assert(
      fc.property(
        anyLine,
        fc.constantFrom('web-1', '', 'n\u00f6de "1"'),
        fc.constantFrom(...IP_MODES),
        fc.subarray([...OMITTABLE]),
        fc.constantFrom(EVERYTHING, { oneIn: 8, bare: false }),
        (fields, node, mode, omit, extent) => {
          const text = fields.version.startsWith('1') ? lineOfVersion1(fields) : line(fields);
          const json = written(text, { node, ip: { mode, salt: SALT }, omit, extent });
          const whole = fromLine(text, node);
          if (!('id' in whole)) {
            expect(json).toBeUndefined();
            return;
          }
          const { bot: _, ...found } = JSON.parse(json ?? '') as HotItemEvent;
          const kept = createRedaction({ ip: { mode, salt: SALT }, omit })(whole);
          const weight = (whole.weight ?? 1) * extent.oneIn;
          expect(found).toEqual(weight > 1 ? { ...kept, weight } : kept);
        },
      ),
      { numRuns: runs(3_000) },
    );
  });

  test('contains, if only counts are kept, no visitor', () => {
    const text = line({
      version: '2/10',
      visitor: 'v',
      method: 'HEAD',
      ua: `Googlebot ${'x'.repeat(FIELDS.ua.limit)}`,
    });
    const { v, id, time, uri, item } = fromLine(text, NODE) as HotItemEvent;
    expect(JSON.parse(written(text, { extent: { oneIn: 64, bare: true } }) ?? '')).toEqual({
      v,
      id,
      time,
      uri,
      item,
      kind: 'head',
      bot: true,
      weight: 640,
    });
  });

  test('is marked as a bot also if its user agent is not kept', () => {
    const json = written(line({ ua: 'curl/8.5.0' }), { omit: ['ua'] }) ?? '';
    expect(JSON.parse(json).bot).toBe(true);
    expect(json).not.toContain('curl');
  });

  test('cannot be written with hashed addresses and no salt', () => {
    expect(() => written(line({}), { ip: { mode: 'hash' } })).toThrow('salt');
  });
});
