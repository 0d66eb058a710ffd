import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BadLine } from '../../../event/bad-line.ts';
import type { HotItemEvent } from '../../../event/event.ts';
import { FIELD_NAMES, FIELDS, isLimited } from '../../../event/fields.ts';
import { fromLine } from '../../../event/from-line.ts';
import { parse } from '../../../event/parse.ts';
import { createVisitorHash } from '../../../event/visitor.ts';
import { line, lineOfVersion1, NODE, utf8 } from './lines.ts';

describe('a line from nginx', () => {
  test('becomes its event', () => {
    expect(fromLine(line({ uri: '/web/item/4711.html?from=mail', item: '4711' }), NODE)).toEqual({
      v: 1,
      id: '01a2038a1aa34b6e0c700ca5c40ed364',
      time: 1795355712163,
      uri: '/web/item/4711.html',
      args: 'from=mail',
      item: '4711',
      ip: '203.0.113.7',
      host: 'www.example.com',
      method: 'GET',
      ua: 'Mozilla/5.0',
      ref: 'https://www.example.com/',
      node: 'web-1',
    });
  });

  test.each([
    ['', undefined],
    ['/2', 2],
    ['/4', 4],
    ['/10000', 10_000],
  ])('whose version is followed by %j has the weight %p', (sampled, weight) => {
    expect(accepted(line({ version: `2${sampled}` })).weight).toBe(weight);
    expect(accepted(lineOfVersion1({ version: `1${sampled}` })).weight).toBe(weight);
  });

  test('of an older include gives the same event as before', () => {
    expect(fromLine(lineOfVersion1({ ua: 'a\tb' }), NODE)).toEqual(fromLine(line({ ua: 'a\tb' }), NODE));
    expect(accepted(lineOfVersion1({ method: 'HEAD' })).kind).toBe('head');
  });

  test.each([
    ['GET', '', undefined],
    ['', '', undefined],
    ['GET', 'prefetch', 'prefetch'],
    ['GET', 'part', 'part'],
    ['HEAD', '', 'head'],
    ['HEAD', 'prefetch', 'prefetch'],
    ['POST', '', 'other'],
    ['OPTIONS', '', 'other'],
    ['get', '', 'other'],
    ['GET', 'monitoring', 'other'],
  ])('for %s with the purpose %j has the kind %p', (method, purpose, kind) => {
    expect(accepted(line({ method, purpose })).kind).toBe(kind);
  });

  test.each([
    [`hotitem-doctor/${'0f'.repeat(16)}`, 'test'],
    ['hotitem-doctor/none', undefined],
    ['hot air', undefined],
    [`x hotitem-doctor/${'0f'.repeat(16)}`, undefined],
  ])('of the user agent %j has the kind %p', (ua, kind) => {
    expect(accepted(line({ ua })).kind).toBe(kind);
    expect(accepted(line({ ua, method: 'HEAD' })).kind).toBe(kind ?? 'head');
  });

  test('has a hash of its visitor that differs each day and with each salt', () => {
    const cookie = 'u1s2e3r4-session';
    const visitors = [
      fromLine(line({ visitor: cookie }), NODE),
      fromLine(line({ visitor: cookie, ip: '198.51.100.1', ua: 'other' }), 'web-2'),
      fromLine(line({ visitor: cookie, msec: '1795442112.163' }), NODE),
      fromLine(line({ visitor: cookie }), NODE, createVisitorHash('a secret of the nodes')),
      fromLine(line({ visitor: 'another' }), NODE),
    ].map((event) => ('visitor' in event ? event.visitor : undefined));

    for (const visitor of visitors) expect(visitor).toMatch(/^[0-9a-f]{16}$/);
    expect(visitors[1]).toBe(visitors[0]);
    expect(new Set(visitors).size).toBe(4);
    expect(accepted(line({}))).not.toHaveProperty('visitor');
  });

  test('never shows its visitor, whatever is wrong with the line', () => {
    const visitor = 'u1s2e3r4-session';
    const whole = line({ visitor, item: '', host: '', ref: '' });
    for (const text of [
      whole.slice(0, whole.lastIndexOf('\t')),
      // What NULs of a power cut, or a disk that was full, leave of a line.
      whole.slice(whole.indexOf(visitor)),
      ...['version', 'msec', 'requestId', 'ip', 'uri'].map((field) => line({ visitor, [field]: '?' })),
      whole,
    ]) {
      expect(JSON.stringify(fromLine(text, NODE))).not.toContain(visitor);
    }
  });

  test('that is followed by another one after a full disk has nothing of that one', () => {
    const other = line({ ip: '198.51.100.66', visitor: 'secret' });
    const torn = `${line({ ua: 'Mozilla/5.0 (X1' })}${other}`;
    expect(accepted(torn).ua).toBe('Mozilla/5.0 (X1');
  });

  test("has the right month and minute, unlike the article's, in milliseconds", () => {
    const event = accepted(line({ msec: '1764547199.007' }));
    expect(new Date(event.time).toISOString()).toBe('2025-11-30T23:59:59.007Z');
  });

  test.each([
    ['/web/item/a%20b.html', '/web/item/a b.html'],
    ['/web/item/a%2Fb', '/web/item/a/b'],
    ['/web/item/a%3Fb?c=1', '/web/item/a?b'],
    ['/web/item/a%253Fb', '/web/item/a%3Fb'],
    ['/web//item///x', '/web/item/x'],
    ['/web/item/./x', '/web/item/x'],
    ['/web/item/../x', '/web/x'],
    ['/web/item/%2e%2E/x', '/web/x'],
    ['/web/item/%2F..%2Fx', '/web/x'],
    ['/web/item/x/..', '/web/item/'],
    ['/web/item/x/.', '/web/item/x/'],
    ['/web/item/.hidden', '/web/item/.hidden'],
    ['/web/item/...', '/web/item/...'],
    ['/web/item/caf%C3%A9', '/web/item/café'],
    ['/web/item/%FF', '/web/item/\uFFFD'],
    ['/web/item/x#y?z', '/web/item/x'],
    ['/web/item/%0A', '/web/item/\n'],
  ])('with the path %s has the uri that nginx uses, and the path as requested', (asked, uri) => {
    const event = accepted(line({ uri: asked }));
    expect(event.uri).toBe(uri);
    expect(event.raw ?? event.uri).toBe(asked.replace(/[?#].*/, ''));
  });

  test('has no raw path if both are equal', () => {
    expect(accepted(line({ uri: '/web/item/4711.html' }))).not.toHaveProperty('raw');
  });

  test('with bytes beyond ASCII keeps them percent-encoded in raw and as text in uri', () => {
    const bytes = Buffer.from('/web/item/é', 'utf8').toString('latin1');
    expect(accepted(line({ uri: `${bytes}\xff` }))).toMatchObject({
      uri: '/web/item/é\uFFFD',
      raw: '/web/item/%C3%A9%FF',
    });
  });

  test('keeps everything after the first question mark, the second one included', () => {
    expect(accepted(line({ uri: '/web/item/1?a=?b;c=%0A' })).args).toBe('a=?b;c=%0A');
  });

  test('without an item counts as its path', () => {
    expect(accepted(line({ uri: '/web/item/a%20b?x', item: '' })).item).toBe('/web/item/a b');
  });

  test('without an address from nginx becomes an event without one', () => {
    expect(accepted(line({ ip: '' }))).not.toHaveProperty('ip');
  });

  test.each(['203.0.113.7', '2001:db8::7', 'unix:'])('from %s is marked so', (ip) => {
    expect(accepted(line({ ip })).ip).toBe(ip);
  });

  test.each(['::ffff:203.0.113.7', '::FFFF:203.0.113.7', '::ffff:cb00:7107', '0:0:0:0:0:ffff:203.0.113.7'])(
    'that arrived through an IPv6 socket, as %s, is from the IPv4 client',
    (ip) => {
      expect(accepted(line({ ip })).ip).toBe('203.0.113.7');
    },
  );

  test.each(['::1', '2001:db8::7', '2001:DB8::7', '64:ff9b::203.0.113.7'])('keeps %s as it is', (ip) => {
    expect(accepted(line({ ip })).ip).toBe(ip);
  });

  test('may have tabs in its user agent, which shift no field', () => {
    expect(accepted(line({ ua: 'a\tb\t1' }))).toMatchObject({ ua: 'a\tb\t1', item: '4711' });
  });

  test.each(FIELD_NAMES.filter(isLimited).filter((field) => field !== 'raw'))(
    'with too long a %s is truncated to the limit and marked so',
    (field) => {
      const { limit } = FIELDS[field];
      const long = 'é'.repeat(limit + 1);
      const bytes = Buffer.from(long, 'utf8').toString('latin1');
      const asked = field === 'uri' ? `/${bytes}` : field === 'args' ? `/web/item/1?${bytes}` : undefined;
      const event = accepted(line(asked === undefined ? { [field]: bytes } : { uri: asked }));
      expect(event.cut).toContain(field);
      expect(event[field]).toHaveLength(limit);
    },
  );

  test('is never truncated inside a character of two UTF-16 units', () => {
    const bytes = Buffer.from(`x${'😀'.repeat(FIELDS.ua.limit)}`, 'utf8').toString('latin1');
    expect(accepted(line({ ua: bytes })).ua?.isWellFormed()).toBe(true);
  });

  test.each<[string, string, BadLine['reason']]>([
    ['an unknown version', line({ version: '3' }), 'version'],
    ['a sample of one', line({ version: '2/1' }), 'version'],
    ['a sample of none', line({ version: '2/0' }), 'version'],
    ['a sample that is too thin', line({ version: '2/10001' }), 'version'],
    ['a sample that is no number', line({ version: '2/4x' }), 'version'],
    ['nothing in it', '', 'version'],
    ['a field missing', line({}).split('\t').slice(0, 11).join('\t'), 'fields'],
    ['a field missing in version 1', lineOfVersion1({}).split('\t').slice(0, 9).join('\t'), 'fields'],
    ['a time that is none', line({ msec: 'now' }), 'time'],
    ['a request id that is none', line({ requestId: 'abc' }), 'request_id'],
    ['a header for an address', line({ ip: 'unknown' }), 'ip'],
    ['a zone in its address', line({ ip: 'fe80::1%eth0' }), 'ip'],
    ['64 KiB of zone', line({ ip: `fe80::1%${'x'.repeat(60_000)}` }), 'ip'],
    ['no path', line({ uri: '' }), 'uri'],
    ['a path that resolves to nothing', line({ uri: 'x/..' }), 'uri'],
    ['64 KiB of user agent', line({ ua: 'x'.repeat(65_536) }), 'too_long'],
  ])('with %s is rejected, with the field and its value', (_, text, reason) => {
    expect(fromLine(text, NODE)).toEqual({ reason, field: expect.any(String), value: expect.any(String) });
  });
});

describe('any line', () => {
  const byteText = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)) });
  const headerText = fc.string({
    unit: fc
      .integer({ min: 1, max: 255 })
      .filter((c) => c !== 9 && c !== 10)
      .map((c) => String.fromCharCode(c)),
  });

  test('gives an event or a reason, never an exception, for any bytes', () => {
    fc.assert(
      fc.property(byteText, (bytes) => {
        expect(fromLine(bytes, NODE)).toBeDefined();
        expect(
          fromLine(line({ uri: `/${bytes}`, ua: bytes, ref: bytes, host: bytes, item: bytes }), NODE),
        ).toBeDefined();
      }),
    );
  });

  test('that becomes an event is accepted by parse', () => {
    fc.assert(
      fc.property(byteText, byteText, byteText, (uri, ip, item) => {
        const event = fromLine(line({ uri, ip, item }), NODE);
        if (!('reason' in event)) expect(parse(JSON.stringify(event))).toEqual(event);
      }),
    );
  });

  test('gives the same event each time', () => {
    fc.assert(
      fc.property(headerText, headerText, (uri, ua) => {
        expect(fromLine(line({ uri: `/${uri}`, ua }), NODE)).toEqual(
          fromLine(line({ uri: `/${uri}`, ua }), NODE),
        );
      }),
    );
  });

  test('keeps hostile headers, which forge neither a second line nor another field', () => {
    fc.assert(
      fc.property(headerText, headerText, headerText, (path, ref, ua) => {
        const event = accepted(line({ uri: `/${path.replace(/[?#]/g, '')}`, ref, ua }));
        const json = JSON.stringify(event);
        expect(json).not.toContain('\n');
        expect(parse(json)).toEqual(event);
        expect(event.ref ?? '').toBe(utf8(ref).slice(0, FIELDS.ref.limit));
        expect(event.ua ?? '').toBe(utf8(ua).slice(0, FIELDS.ua.limit));
        expect(event).toMatchObject({
          ip: '203.0.113.7',
          item: '4711',
          method: 'GET',
          host: 'www.example.com',
          node: NODE,
        });
      }),
    );
  });
});

function accepted(text: string): HotItemEvent {
  const event = fromLine(text, NODE);
  if ('reason' in event) throw new Error(`refused: ${JSON.stringify(event)}`);
  return event;
}
