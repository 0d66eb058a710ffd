import { isIP } from 'node:net';
import type { HotItemEvent } from './event.ts';
import { normalisePath } from './normalise-path.ts';

/** Why a line is no event. `reason` is one of a closed list and fit for a metric's label; `value` is cut. */
export type BadLine = { reason: BadLineReason; field: string; value: string };
/** `nul`: NULs in a file, in the place of an unknown number of lines. */
export type BadLineReason = 'too_long' | 'nul' | 'version' | 'fields' | 'time' | 'request_id' | 'ip' | 'uri';

/** Longest value of a field, in characters. A longer one is cut, and its name put into `cut`. */
export const LIMITS = {
  uri: 2048,
  raw: 4096,
  args: 4096,
  item: 256,
  host: 255,
  method: 32,
  ua: 1024,
  ref: 2048,
} as const;

/** nginx's own limits (four header buffers of 8 KB) keep every honest line below this. */
const LONGEST_LINE = 65_536;
const FIELDS = 10;
/** `1`, or `1/N` where one in N views is captured, N from 2 to 10000. */
const VERSION = /^1(?:\/([2-9]|[1-9]\d{1,3}|10000))?$/;
const TIME = /^\d{9,11}\.\d{3}$/;
const REQUEST_ID = /^[0-9a-f]{32}$/;
/** INET6_ADDRSTRLEN without its zero. */
const LONGEST_IP = 45;
const BEYOND_ASCII = /[\x80-\xff]/;

/**
 * The event that a line from nginx stands for, or why it stands for none. Never throws, and depends on nothing but its
 * arguments: the same line read twice is the same event.
 *
 * `line` holds one character a byte (latin1), without the newline, because what a shopper sends need not be UTF-8.
 * Its fields, separated by tabs: version, `$msec`, `$request_id`, `$remote_addr`, `$request_method`, `$host`,
 * `$request_uri`, item, `$http_referer`, `$http_user_agent`. Only the last may hold a tab.
 */
export function fromLine(line: string, node: string): HotItemEvent | BadLine {
  if (line.length > LONGEST_LINE) return bad('too_long', 'line', `${line.length} bytes`);
  const [version, msec, requestId, ip, method, host, requestUri, item, ref, ua] = split(line);
  const weight = weightOf(version);
  if (weight === undefined) return bad('version', 'version', version);
  if (ua === undefined) return bad('fields', 'line', line);
  if (!TIME.test(msec)) return bad('time', '$msec', msec);
  if (!REQUEST_ID.test(requestId)) return bad('request_id', '$request_id', requestId);
  if (!isClient(ip)) return bad('ip', '$remote_addr', ip);
  if (requestUri === '') return bad('uri', '$request_uri', requestUri);

  const time = Number(msec.replace('.', ''));
  const { path, args } = cutAtQuery(requestUri);
  const uri = normalisePath(path);
  if (uri === '') return bad('uri', '$request_uri', requestUri);
  const cut: string[] = [];
  const event: HotItemEvent = {
    v: 1,
    id: time.toString(16).padStart(12, '0') + requestId.slice(0, 20),
    time,
    uri: limit('uri', uri, cut),
    item: limit('item', item === '' ? uri : text(item), cut),
  };
  if (ip !== '') event.ip = ip;
  if (path !== uri && path !== '')
    event.raw = limit('raw', path.replace(/[^\x21-\x7e]/g, percentEncode), cut);
  if (args !== '') event.args = limit('args', text(args), cut);
  if (host !== '') event.host = limit('host', text(host), cut);
  if (method !== '') event.method = limit('method', text(method), cut);
  if (ua !== '') event.ua = limit('ua', text(ua), cut);
  if (ref !== '') event.ref = limit('ref', text(ref), cut);
  if (node !== '') event.node = node;
  if (weight > 1) event.weight = weight;
  if (cut.length > 0) event.cut = cut;
  return event;
}

/** How many views a line of this version stands for; undefined where it is none of ours. */
function weightOf(version: string): number | undefined {
  const found = VERSION.exec(version);
  return found === null ? undefined : Number(found[1] ?? 1);
}

/** An address as nginx writes it, without a zone; `unix:`; or nothing, where privacy.conf withholds it. */
function isClient(ip: string): boolean {
  if (ip === '' || ip === 'unix:') return true;
  return ip.length <= LONGEST_IP && isIP(ip) !== 0 && !ip.includes('%');
}

type Fields = [string, string, string, string, string, string, string, string, string, string | undefined];

function split(line: string): Fields {
  const fields: string[] = [];
  let from = 0;
  for (
    let tab = line.indexOf('\t');
    tab !== -1 && fields.length < FIELDS - 1;
    tab = line.indexOf('\t', from)
  ) {
    fields.push(line.slice(from, tab));
    from = tab + 1;
  }
  fields.push(line.slice(from));
  return fields as Fields;
}

/** As nginx does: the query begins at the first `?`, and a fragment, which no browser sends, ends everything. */
function cutAtQuery(requestUri: string): { path: string; args: string } {
  const hash = requestUri.indexOf('#');
  const whole = hash === -1 ? requestUri : requestUri.slice(0, hash);
  const mark = whole.indexOf('?');
  return mark === -1
    ? { path: whole, args: '' }
    : { path: whole.slice(0, mark), args: whole.slice(mark + 1) };
}

function limit(field: keyof typeof LIMITS, value: string, cut: string[]): string {
  if (value.length <= LIMITS[field]) return value;
  cut.push(field);
  const end = LIMITS[field];
  // Half of a surrogate pair is no text: Elasticsearch would refuse the document.
  const splitsPair = value.codePointAt(end - 1) !== value.charCodeAt(end - 1);
  return value.slice(0, splitsPair ? end - 1 : end);
}

function text(bytes: string): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

function percentEncode(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function bad(reason: BadLineReason, field: string, value: string): BadLine {
  return { reason, field, value: value.slice(0, 200) };
}
