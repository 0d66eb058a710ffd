import type { Kind } from '../../event/kind.ts';
import { MODIFIED } from './nginx-requests-site.ts';

export type RequestCase = {
  name: string;
  method: string;
  target: string;
  version?: '1.0' | '1.1';
  headers?: string[];
  body?: string;
  /** What its event says that it was; absent: a view. */
  kind?: Kind;
  /** nginx terminates the request, with an answer of its own. */
  terminated?: boolean;
};

const PROXIED = ['/web/shelf/4711?from=mail', '/item/4711?from=mail', '/stream/4711?from=mail'];
const STATIC = ['/web/page/4711.html', '/file/4711.html'];
const LONG = ['/web/page/long.bin', '/file/long.bin'];
const SMALL_BODY = 'amount=2&note=caf\xe9\0\r\n\r\nGET / HTTP/1.1';
const LARGE_BODY = 'body \x00\xff\r\n'.repeat(200_000);

/** What browsers and scripts send that fetch a page which nobody has opened yet. */
const PREFETCHES = [
  // Chrome and Firefox, for <link rel=prefetch> and speculation rules.
  'Sec-Purpose: prefetch',
  'Sec-Purpose: prefetch;prerender',
  'Sec-Purpose: prefetch;anonymous-client-ip',
  // Older Chrome, Safari, Inertia.
  'Purpose: prefetch',
  'purpose: PREFETCH',
  // Older Firefox.
  'X-Moz: prefetch',
  // Turbo, on hover.
  'X-Sec-Purpose: prefetch',
  // Facebook's app, of a link that it shows; Safari's picture of a page.
  'X-Purpose: preview',
];

/** Whether it is served from a folder or by an origin, rewritten or not: every way of asking that we know of. */
export const REQUESTS: RequestCase[] = [
  ...each([...PROXIED, ...STATIC], { name: 'GET', method: 'GET' }),
  ...each([...PROXIED, ...STATIC], { name: 'HEAD', method: 'HEAD', kind: 'head' }),
  ...each([...PROXIED, ...STATIC], { name: 'GET of HTTP/1.0', method: 'GET', version: '1.0' }),
  ...each([...PROXIED, ...STATIC], { name: 'OPTIONS', method: 'OPTIONS', kind: 'other' }),
  ...each([...PROXIED, ...STATIC], { name: 'DELETE', method: 'DELETE', kind: 'other' }),
  ...each(PROXIED, { name: 'an unheard method', method: 'BREW_ME-NOW', kind: 'other' }),
  ...each([...PROXIED, ...STATIC], { name: 'POST', method: 'POST', kind: 'other', ...counted(SMALL_BODY) }),
  ...each(PROXIED, { name: 'POST without a body', method: 'POST', kind: 'other', ...counted('') }),
  ...each(PROXIED, { name: 'POST of 2 MB', method: 'POST', kind: 'other', ...counted(LARGE_BODY) }),
  ...each(PROXIED, { name: 'POST in chunks', method: 'POST', kind: 'other', ...chunked(SMALL_BODY, 7) }),
  // Unbuffered, nginx cuts chunks as the bytes come in: never twice the same.
  ...each(PROXIED.slice(0, 2), {
    name: 'POST of 2 MB in chunks',
    method: 'POST',
    kind: 'other',
    ...chunked(LARGE_BODY, 8191),
  }),
  ...each(PROXIED, { name: 'PUT', method: 'PUT', kind: 'other', ...counted(SMALL_BODY) }),
  ...each(PROXIED, { name: 'PATCH', method: 'PATCH', kind: 'other', ...counted(SMALL_BODY) }),
  ...each(PROXIED, {
    name: 'POST that waits to be told',
    method: 'POST',
    kind: 'other',
    headers: ['Expect: 100-continue', `Content-Length: ${SMALL_BODY.length}`],
    body: SMALL_BODY,
  }),
  ...[
    'Range: bytes=0-9',
    'Range: bytes=100-',
    'Range: bytes=-5',
    'Range: bytes=0-1,5-6,1000000-1000009',
    'Range: bytes=99999999-',
  ].flatMap((header) => each(LONG, { name: header, method: 'GET', kind: 'part', headers: [header] })),
  ...each(LONG, { name: 'Range: nonsense', method: 'GET', headers: ['Range: nonsense'] }),
  ...[
    `If-Modified-Since: ${MODIFIED.toUTCString()}`,
    'If-Modified-Since: Mon, 01 Jan 2001 00:00:00 GMT',
    'If-None-Match: *',
    'If-None-Match: "nothing"',
  ].flatMap((header) => each(STATIC, { name: header, method: 'GET', headers: [header] })),
  ...['If-Match: "nothing"', 'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT'].flatMap((header) =>
    each(STATIC, { name: header, method: 'GET', headers: [header], terminated: true }),
  ),
  ...each(LONG, {
    name: 'If-Range',
    method: 'GET',
    kind: 'part',
    headers: ['Range: bytes=0-9', 'If-Range: Mon, 01 Jan 2001 00:00:00 GMT'],
  }),
  ...each(PROXIED, {
    name: 'range and condition for the origin',
    method: 'GET',
    kind: 'part',
    headers: ['Range: bytes=0-9', 'If-None-Match: "1"', 'If-Modified-Since: x'],
  }),
  ...PREFETCHES.flatMap((header) =>
    each(['/web/shelf/4711', '/file/4711.html'], {
      name: header,
      method: 'GET',
      kind: 'prefetch',
      headers: [header],
    }),
  ),
  ...each(['/item/4711'], {
    name: 'a prefetch of a part',
    method: 'GET',
    kind: 'prefetch',
    headers: ['Range: bytes=0-', 'Purpose: prefetch'],
  }),
  ...each(PROXIED, {
    name: 'headers with every byte',
    method: 'GET',
    headers: [
      `X-Bytes: ${bytes(0x01, 0xff)}`,
      'X-Empty:',
      'X-Twice: 1',
      'X-Twice: 2',
      'Cookie: session=secret; "a',
      'Authorization: Basic c2VjcmV0',
      `X-Long: ${'x'.repeat(8_000)}`,
    ],
  }),
];

/** What a header may hold and get past nginx: no NUL, CR or LF. */
export function bytes(first: number, last: number): string {
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, i) => first + i)).replace(
    /[\r\n]/g,
    '',
  );
}

function each(targets: string[], request: Omit<RequestCase, 'target'>): RequestCase[] {
  return targets.map((target) => ({ ...request, target }));
}

function counted(body: string): Pick<RequestCase, 'headers' | 'body'> {
  return { headers: [`Content-Length: ${body.length}`], body };
}

function chunked(body: string, size: number): Pick<RequestCase, 'headers' | 'body'> {
  const chunks: string[] = [];
  for (let from = 0; from < body.length; from += size) {
    const chunk = body.slice(from, from + size);
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  }
  return { headers: ['Transfer-Encoding: chunked'], body: `${chunks.join('')}0\r\n\r\n` };
}
