import { describe, expect, test } from '@jest/globals';
import { readHead } from '../../../../sidecar/ingest/request-head.ts';

describe('the head of a request', () => {
  test('is read in the form that nginx writes', () => {
    const text = 'POST /v1/lines?a=1?b HTTP/1.1\r\nHost: hotitem\r\nContent-Length: 7\r\n\r\n';
    expect(read(`${text}a line\n`)).toEqual({
      method: 'POST',
      path: '/v1/lines',
      query: 'a=1?b',
      length: 7,
      isLast: false,
      size: text.length,
    });
  });

  test.each([
    ['without a length', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', { length: 0, isLast: false }],
    [
      'whose client ends the connection',
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n',
      { isLast: true },
    ],
    ['of HTTP/1.0, without a host', 'GET / HTTP/1.0\r\n\r\n', { isLast: true }],
    [
      'with names in any case and blanks around values',
      'GET / HTTP/1.1\r\nhOST:h\r\ncontent-LENGTH: \t7 \r\n\r\n',
      { length: 7 },
    ],
    ['with an empty value', 'GET / HTTP/1.1\r\nHost: h\r\nX-A:\r\n\r\n', { length: 0 }],
  ])('%s', (_, text, head) => {
    expect(read(text)).toMatchObject(head);
  });

  test('is incomplete wherever it is cut off', () => {
    const text = 'POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\nContent-Length: 7\r\n\r\n';
    for (let cut = 1; cut < text.length; cut++)
      expect([cut, read(text.slice(0, cut))]).toEqual([cut, undefined]);
  });

  const start = 'POST / HTTP/1.1\r\nHost: h\r\n';
  test.each([
    ['a length and chunks', `${start}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['two lengths', `${start}Content-Length: 2\r\ncontent-length: 2\r\n\r\n`, 400],
    ['a list of lengths', `${start}Content-Length: 2, 2\r\n\r\n`, 400],
    ['a length with a sign', `${start}Content-Length: +2\r\n\r\n`, 400],
    ['a hexadecimal length', `${start}Content-Length: 0x2\r\n\r\n`, 400],
    ['an empty length', `${start}Content-Length:\r\n\r\n`, 400],
    ['a length beyond all', `${start}Content-Length: 99999999999\r\n\r\n`, 400],
    ['two hosts', `${start}Host: h\r\n\r\n`, 400],
    ['a folded line', `${start}X-A: 1\r\n 2\r\n\r\n`, 400],
    ['a name without a colon', `${start}X-A\r\n\r\n`, 400],
    ['a blank before a colon', `${start}Content-Length : 2\r\n\r\n`, 400],
    ['a control character', `${start}X-A: \x01\r\n\r\n`, 400],
    ['a carriage return inside', `${start}X-A: a\rb\r\n\r\n`, 400],
    ['a bare newline', 'POST / HTTP/1.1\nHost: h\n\n', 400],
    ['a bare newline at first', '\n\n', 400],
    ['a method in lower case', 'post / HTTP/1.1\r\nHost: h\r\n\r\n', 400],
    ['another version', 'POST / HTTP/2.0\r\nHost: h\r\n\r\n', 400],
    ['an address for a path', 'GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n', 400],
    ['a blank in the path', 'GET /a b HTTP/1.1\r\nHost: h\r\n\r\n', 400],
    ['no HTTP', '\x16\x03\x01\x02\x00', 400],
    ['a body in chunks', `${start}Transfer-Encoding: chunked\r\n\r\n`, 411],
    ['a body that waits to be asked for', `${start}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`, 417],
    ['no end', `${start}X-A: ${'a'.repeat(2_100)}`, 431],
  ])('with %s is rejected', (_, text, status) => {
    expect(read(text)).toBe(status);
  });
});

function read(text: string) {
  return readHead(Buffer.from(text, 'latin1'));
}
