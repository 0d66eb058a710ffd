import { isIP } from 'node:net';
import type { DailyHash } from './daily-hash.ts';
import type { HotItemEvent } from './event.ts';
import { unmapped } from './ipv4-mapped.ts';
import { kindOf } from './kind.ts';
import { normalisePath } from './normalise-path.ts';
import { createVisitorHash } from './visitor.ts';

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
/** By version. The second has two more before the user agent: what the request is for, and the visitor. */
const FIELDS: Readonly<Record<string, number>> = { 1: 10, 2: 12 };
const PURPOSE = 9;
const VISITOR = 10;
/** `2`, or `2/N` where one in N views is captured, N from 2 to 10000. */
const VERSION = /^([12])(?:\/([2-9]|[1-9]\d{1,3}|10000))?$/;
const OTHER_VERSION = /^\d{1,2}(?:\/\d{1,5}\w?)?$/;
const TIME = /^\d{9,11}\.\d{3}$/;
const REQUEST_ID = /^[0-9a-f]{32}$/;
/** How a line goes on behind its version: another one in a user agent is of a disk that was full, or a forgery. */
const ANOTHER = /[12](?:\/\d+)?\t\d{9,11}\.\d{3}\t[0-9a-f]{32}\t/;
/** INET6_ADDRSTRLEN without its zero. */
const LONGEST_IP = 45;
const BEYOND_ASCII = /[\x80-\xff]/;
const UNSALTED = createVisitorHash();

/**
 * The event that a line from nginx stands for, or why it stands for none. Never throws, and depends on nothing but its
 * arguments: the same line read twice is the same event.
 *
 * `line` holds one character a byte (latin1), without the newline, because what a shopper sends need not be UTF-8.
 * Its fields, separated by tabs: version, `$msec`, `$request_id`, `$remote_addr`, `$request_method`, `$host`,
 * `$request_uri`, item, `$http_referer`, `$hotitem_purpose`, `$hotitem_visitor`, `$http_user_agent`. Only the last may hold a tab.
 * Version 1, of older includes, lacks purpose and visitor.
 */
export function fromLine(
  line: string,
  node: string,
  hashVisitor: DailyHash = UNSALTED,
): HotItemEvent | BadLine {
  if (line.length > LONGEST_LINE) return bad('too_long', 'line', `${line.length} bytes`);
  const [, version = '', oneIn = '1'] = VERSION.exec(upToTab(line)) ?? [];
  const count = FIELDS[version];
  if (count === undefined) return bad('version', 'version', shownVersion(line));
  const fields = split(line, count);
  const [, msec = '', requestId = '', ip = '', method = '', host = '', requestUri = '', item = '', ref = ''] =
    fields;
  const rest = fields[count - 1];
  // What is shown of it is kept in clear: not the visitor.
  if (rest === undefined) return bad('fields', 'line', fields.slice(0, VISITOR).join('\t'));
  if (!TIME.test(msec)) return bad('time', '$msec', msec);
  if (!REQUEST_ID.test(requestId)) return bad('request_id', '$request_id', requestId);
  if (!isClient(ip)) return bad('ip', '$remote_addr', ip);
  if (requestUri === '') return bad('uri', '$request_uri', requestUri);

  const time = Number(msec.replace('.', ''));
  const { path, args } = cutAtQuery(requestUri);
  const uri = normalisePath(path);
  if (uri === '') return bad('uri', '$request_uri', requestUri);
  const ua = withoutAnother(rest);
  const cut: string[] = [];
  const event: HotItemEvent = {
    v: 1,
    id: time.toString(16).padStart(12, '0') + requestId.slice(0, 20),
    time,
    uri: limit('uri', uri, cut),
    item: limit('item', item === '' ? uri : text(item), cut),
  };
  if (ip !== '') event.ip = unmapped(ip);
  if (path !== uri && path !== '')
    event.raw = limit('raw', path.replace(/[^\x21-\x7e]/g, percentEncode), cut);
  if (args !== '') event.args = limit('args', text(args), cut);
  if (host !== '') event.host = limit('host', text(host), cut);
  if (method !== '') event.method = limit('method', text(method), cut);
  if (ua !== '') event.ua = limit('ua', text(ua), cut);
  if (ref !== '') event.ref = limit('ref', text(ref), cut);
  if (node !== '') event.node = node;
  const [purpose = '', visitor = ''] = version === '1' ? [] : fields.slice(PURPOSE, VISITOR + 1);
  if (visitor !== '') event.visitor = hashVisitor(visitor, time);
  const kind = kindOf(method, purpose);
  if (kind !== undefined) event.kind = kind;
  if (oneIn !== '1') event.weight = Number(oneIn);
  if (cut.length > 0) event.cut = cut;
  return event;
}

/** An address as nginx writes it, without a zone; `unix:`; or nothing, where privacy.conf withholds it. */
function isClient(ip: string): boolean {
  if (ip === '' || ip === 'unix:') return true;
  return ip.length <= LONGEST_IP && isIP(ip) !== 0 && !ip.includes('%');
}

/** What begins with no version may be the rest of a torn line, with a visitor first: that is kept nowhere in clear. */
function shownVersion(line: string): string {
  const first = upToTab(line);
  return first === line || OTHER_VERSION.test(first) ? first : `${line.length} bytes`;
}

/** The user agent without the line behind it, whose address and visitor are somebody else's. */
function withoutAnother(ua: string): string {
  const at = ua.includes('\t') ? ua.search(ANOTHER) : -1;
  return at === -1 ? ua : ua.slice(0, at);
}

function upToTab(line: string): string {
  const tab = line.indexOf('\t');
  return tab === -1 ? line : line.slice(0, tab);
}

/** At most `count`, the last of which holds all tabs that are left. */
function split(line: string, count: number): string[] {
  const fields: string[] = [];
  let from = 0;
  for (
    let tab = line.indexOf('\t');
    tab !== -1 && fields.length < count - 1;
    tab = line.indexOf('\t', from)
  ) {
    fields.push(line.slice(from, tab));
    from = tab + 1;
  }
  fields.push(line.slice(from));
  return fields;
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
