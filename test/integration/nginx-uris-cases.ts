import fc from 'fast-check';

/** Below a prefix that ends with a slash, one character a byte: what a browser, a scanner or a fuzzer asks for. */
export const ODD_URIS: string[] = [
  '4711.html',
  '',
  '?',
  '4711.html?',
  '4711.html?from=mail&x=%26',
  'a%20b.html',
  'a+b.html',
  'a%3Fb.html',
  '100%25.html',
  'a%2Fb.html',
  'a%2f..%2fb.html',
  'a%2525.html',
  'a%253Fb.html',
  'a//b.html',
  '//',
  '///a///b///',
  'a/./b.html',
  'a/../b.html',
  'a/..',
  'a/.',
  'a/b/../../4711.html',
  'a/%2e%2e/4711.html',
  'a/%2E/4711.html',
  'a/.%2e/4711.html',
  '...',
  '..a/b..',
  '.hidden',
  'caf%FF.html',
  'caf%C3%A9.html',
  'caf\xc3\xa9.html',
  '\xff\xfe\x80',
  '%FF%FE',
  '%E2%82',
  '%F0%9F%98%80',
  'a;b=c.html',
  'a;b=c,d;e',
  'a&b=c',
  "it's",
  '"quoted"',
  '%22quoted%22',
  '<script>',
  '%3Cscript%3E',
  'back\\slash',
  'back%5Cslash',
  '{a}|b^c`d~e',
  '$uri',
  '%24uri$1',
  'a%0Ab.html',
  'a%0D%0Ab.html',
  '%0A1%09forged%09line',
  'a%09b.html',
  'a%01%1f%7fb.html',
  'web/item/a.html',
  'web/web/item/a.html',
  'shelf/web/shelf/web.html',
  'a:b@c',
  'http://a/b',
  'a?b?c',
  '?a=1?b=2',
  'a?x=%3F%25%0A%09%FF',
  'a?x=gr\xc3\xbc\xff',
  'a?url=http://a/../b//c',
  'a?a;b;c=1',
  'a?"\'<>\\`{}|',
  'a#fragment',
  'a?b#fragment',
  'a#b?c',
  '#',
  'a%23b',
  'a%23b?c%23d',
  'x'.repeat(2049),
  'x'.repeat(7000),
  '%41'.repeat(1400),
  'long/'.repeat(1000),
  `a?${'q'.repeat(8192)}`,
  `a?${'q=%FF&'.repeat(1300)}`,
];

/** Whole request targets; `@HOST@` is the host of the request. */
export const ODD_TARGETS: string[] = [
  '/',
  '/web',
  '/web/',
  '/web/web/',
  '/web/web/shelf/a',
  '/web/item/a',
  '/web/shelf',
  '/web//shelf/a?b',
  '//web/shelf/a',
  '/WEB/shelf/a',
  '/%77eb/shelf/a',
  '/web%2Fshelf/a',
  '/a/../web/shelf/a',
  '/web/shelf/../../item/a',
  '/a?%zz%00',
  'http://@HOST@/item/a?b',
  'http://@HOST@/web/shelf/a//b?c',
  'http://@HOST@:8080/item/%2e/a',
  'HTTPS://@HOST@/item/a',
  'ftp://@HOST@/item/a',
  'http://@HOST@',
  'http://@HOST@/',
  'http://@HOST@?a=1',
  'http://@HOST@/#a',
];

/** What nginx itself refuses: no location, and so no capture, sees it. */
export const REFUSED_TARGETS: string[] = [
  '*',
  'a',
  '?a',
  'item/a',
  '/..',
  '/../a',
  '/item/../..',
  '/item/../../a',
  '/%2e%2e/a',
  '/item/a%00b',
  '/item/a%',
  '/item/a%4',
  '/item/a%zz',
  '/item/a\tb',
  '/item/a\x01b',
  '/item/a\x7fb',
  '/item/a b',
  'http://',
  'http:///item/a',
  'http://@HOST@#a',
  'http://a@@HOST@/item/a',
];

const HEX = [...'0123456789abcdefABCDEF'];
const SEPARATORS = [
  '/',
  '/',
  '//',
  '/./',
  '/../',
  '/.',
  '/..',
  '.',
  '..',
  '?',
  '#',
  '%2F',
  '%2e',
  '%3F',
  '%23',
  '%25',
];

const escaped: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...HEX), fc.constantFrom(...HEX))
  .map(([high, low]) => `%${high}${low}`);
/** Any byte that may stand in a request line without ending it. */
const byte: fc.Arbitrary<string> = fc
  .integer({ min: 0x21, max: 0xff })
  .map((code) => String.fromCharCode(code));

/** The rest of a request target behind a slash; mostly what nginx has rules for. */
export const anyRest: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...SEPARATORS) },
      { weight: 2, arbitrary: fc.constantFrom('a', 'web', 'item', 'shelf', '4711.html') },
      { weight: 2, arbitrary: escaped },
      { weight: 2, arbitrary: byte },
    ),
    { maxLength: 24 },
  )
  .map((pieces) => pieces.join(''));

/** A header's value with every byte that nginx lets pass: anything but NUL, CR and LF. */
export const anyHeader: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x01, max: 0xff }).filter((code) => code !== 0x0a && code !== 0x0d),
      fc.constantFrom(0x09, 0x0b, 0x1b, 0x22, 0x5c, 0x85),
    ),
    { maxLength: 60 },
  )
  .map((codes) => String.fromCharCode(...codes));
