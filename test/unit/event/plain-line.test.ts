import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBotTest } from '../../../event/bot-test.ts';
import { fromLine, LIMITS } from '../../../event/from-line.ts';
import { bitsOf } from '../../../event/id-bits.ts';
import { createPlainLines } from '../../../event/plain-line.ts';
import { line, lineOfVersion1, NODE } from './lines.ts';

const isBot = createBotTest();

type Made = { json: string; idBits: number[] };

/** What the short way makes of a line; undefined where it leaves it to the long way. */
function short(text: string, node = NODE): Made | undefined {
  const lines = Buffer.from(`before\n${text}\nafter`, 'latin1');
  const plain = createPlainLines({ node, isBot });
  const out = Buffer.alloc(5 + text.length + plain.mostAdded);
  if (!plain.write(lines, 7, out, 5)) return undefined;
  expect(plain.lineEnd()).toBe(7 + text.length);
  return { json: out.toString('utf8', 5, plain.outEnd()), idBits: [plain.idBits(0), plain.idBits(1)] };
}

/** What the long way makes of it. */
function long(text: string, node = NODE): Made | undefined {
  const event = fromLine(text, node);
  if ('reason' in event) return undefined;
  if (isBot(event.ua)) event.bot = true;
  return { json: `${JSON.stringify(event)}\n`, idBits: [bitsOf(event.id, 0), bitsOf(event.id, 1)] };
}

/** Characters that have a meaning somewhere, and some that have none. */
const characters = fc.constantFrom(...'ab1:./?#%&"\\ \t\x00\x1f\x7f\xc3\xa9-_2F');
const odd = fc.string({ unit: characters, maxLength: 12 });
const plain = fc.string({ unit: fc.constantFrom(...'ab1:./-_ '), maxLength: 12 });
const longest = (limit: number) => fc.integer({ min: limit - 1, max: limit + 1 }).map((n) => 'x'.repeat(n));
const field = (limit: number) =>
  fc.oneof(
    { weight: 20, arbitrary: plain },
    { weight: 2, arbitrary: odd },
    { weight: 1, arbitrary: longest(limit) },
  );

describe('the short way from a line to an event', () => {
  test.each([
    ['a common view', line({})],
    ['a query', line({ uri: '/web/item/1?a=1&b=%20?c' })],
    [
      'no item, host, method, referrer, user agent',
      line({ item: '', host: '', method: '', ref: '', ua: '' }),
    ],
    ['no address', line({ ip: '' })],
    ['an IPv6 address', line({ ip: '2001:db8::1' })],
    ['an IPv4 address through an IPv6 socket', line({ ip: '::ffff:203.0.113.7' })],
    ['an older include', lineOfVersion1({})],
    ['an older include, HEAD', lineOfVersion1({ method: 'HEAD' })],
    ['a prefetch', line({ purpose: 'prefetch' })],
    ['a part of a page', line({ purpose: 'part' })],
    ["an operator's own purpose", line({ purpose: 'monitoring' })],
    ['HEAD', line({ method: 'HEAD' })],
    ['POST', line({ method: 'POST' })],
    ['a visitor', line({ visitor: 'u1s2e3r4-session' })],
    ['all at once', line({ visitor: 'a', method: 'HEAD', purpose: 'part', ua: 'Googlebot/2.1' })],
    ['a bot', line({ ua: 'Googlebot/2.1 (+http://www.google.com/bot.html)' })],
  ])('makes the same of %s', (_, text) => {
    expect(short(text)).toEqual(long(text));
    expect(short(text)).toBeDefined();
  });

  test.each([
    ['a sampled view', line({ version: '2/10' })],
    ['a sampled view of an older include', lineOfVersion1({ version: '1/10' })],
    ['another version', line({ version: '3' })],
    ['a mapped address in another spelling', line({ ip: '::ffff:cb00:7107' })],
    ['half of the fields that are new', line({}).replace('\t\t', '\t')],
    ['a time that is none', line({ msec: '1795355712,163' })],
    ['a time of other length', line({ msec: '795355712.163' })],
    ['a request id that is none', line({ requestId: '4B6E0C700CA5C40ED36400000000ABCD' })],
    ['an address that is none', line({ ip: '203.0.113.256' })],
    ['an address with a zone', line({ ip: 'fe80::1%eth0' })],
    ['what JSON escapes', line({ ua: 'a "quoted" \\ word' })],
    ['a tab in the last field', line({ ua: 'a\tb' })],
    ['bytes beyond ASCII', line({ ref: 'caf\xc3\xa9' })],
    ['an encoded path', line({ uri: '/web/item/%34.html' })],
    ['double slashes', line({ uri: '/web//item/1.html' })],
    ['dot segments', line({ uri: '/web/../item/1.html' })],
    ['a fragment', line({ uri: '/web/item/1.html#a' })],
    ['a whole URL', line({ uri: 'http://shop/item/1' })],
    ['no path', line({ uri: '?a=1' })],
    ['something too long', line({ ua: 'x'.repeat(LIMITS.ua + 1) })],
    ['a path too long for an item', line({ uri: `/${'x'.repeat(LIMITS.item)}`, item: '' })],
    ['nothing at all', ''],
    ['too few fields', '1\t1795355712.163\t4b6e0c700ca5c40ed36400000000abcd\t203.0.113.7\tGET'],
  ])('leaves %s to the long way', (_, text) => {
    expect(short(text)).toBeUndefined();
  });

  test('never makes anything else than the long way would', () => {
    const anyLine = fc.record({
      version: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('1', '2') },
        { weight: 1, arbitrary: fc.constantFrom('3', '1/2', '2/2') },
      ),
      msec: fc.constantFrom(
        '1795355712.163',
        '1000000000.000',
        '9999999999.999',
        '0000000001.000',
        '179535571.163',
      ),
      requestId: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 }),
      ip: fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.string({ unit: fc.constantFrom(...'0125.'), minLength: 5, maxLength: 9 }),
        fc.ipV4().map((ip) => `::ffff:${ip}`),
        fc.constantFrom(
          '',
          'unix:',
          '::ffff:1.2.3',
          '::ffff:102:304',
          '::FFFF:1.2.3.4',
          '01.2.3.4',
          '1.2.3.4.5',
          '1.2.3.',
          'fe80::1%a',
        ),
      ),
      method: fc.oneof(fc.constantFrom('GET', 'HEAD', 'POST'), field(LIMITS.method)),
      host: field(LIMITS.host),
      uri: fc.oneof(
        field(LIMITS.uri),
        odd.map((rest) => `/web/item/1${rest}`),
        plain.map((rest) => `/item?${rest}`),
      ),
      item: field(LIMITS.item),
      ref: field(LIMITS.ref),
      purpose: fc.oneof(fc.constantFrom('', 'prefetch', 'part'), field(20)),
      visitor: field(40),
      ua: field(LIMITS.ua),
    });
    let taken = 0;
    fc.assert(
      fc.property(anyLine, fc.constantFrom('web-1', '', 'n\u00f6de "1"'), (fields, node) => {
        const text = fields.version.startsWith('1') ? lineOfVersion1(fields) : line(fields);
        const found = short(text, node);
        if (found === undefined) return;
        taken++;
        expect(found).toEqual(long(text, node));
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
