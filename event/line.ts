import { type BadLine, type BadLineReason, badLine } from './bad-line.ts';
import { isIPv4, isOtherClient, unmappedAt } from './client-address.ts';
import { createLineAgent } from './line-agent.ts';
import {
  DOT,
  HASH,
  hasOdd,
  IS_PATH,
  IS_PLAIN,
  NEWLINE,
  PERCENT,
  QUESTION,
  SLASH,
  TAB,
} from './line-bytes.ts';
import { ARGS, HOST, IP, ITEM, METHOD, PATH, PURPOSE, REF, SPANS, UA, VISITOR } from './line-fields.ts';
import { createLineHead, endsField, fieldEnd, type LineHead, type Problem } from './line-head.ts';
import { normalisePath } from './normalise-path.ts';

/*
 * A line as nginx writes it, its fields found once, as spans of bytes. Everything that is done about a view works on these
 * spans: whether the view is new, whether it is kept, how its event is written, and what it counts for.
 *
 * Fields, separated by tabs: version, `$msec`, `$request_id`, `$remote_addr`, `$request_method`, `$host`, `$request_uri`, item,
 * `$http_referer`, `$hotitem_purpose`, `$hotitem_visitor`, `$http_user_agent`. Only the last may hold a tab. Version 1, of
 * older includes, lacks purpose and visitor. `2/N`: one in N views is captured.
 */

export type Line = Pick<LineHead, 'time' | 'idAt' | 'idBits' | 'weight'> & {
  /**
   * Finds the fields of the line that begins at `at` of `lines`. False: it is no event, and `bad` says why. Either way it ends
   * at `lineEnd`: at its newline, or with `lines`.
   */
  read(lines: Buffer, at: number): boolean;
  lineEnd(): number;
  bad(): BadLine;
  /** Of the line that was read last. */
  lines(): Buffer;
  /** Of `lines`. */
  view(): DataView;
  readonly begin: Int32Array;
  readonly end: Int32Array;
  /**
   * Not 0 for a field with bytes that JSON escapes or that are not ASCII, for a path that nginx resolves to
   * another, and for an address that is not of IPv4.
   */
  readonly odd: Uint8Array;
  /** Whether any field is. */
  isOdd(): boolean;
  /** The path as nginx resolves it, where that is `odd`. */
  resolvedPath(): string;
  /** 64 bits of a hash of the user agent, different in each process. */
  agentBits(word: 0 | 1): number;
};

/** nginx's own limits (four header buffers of 8 KB) keep every honest line below this. */
const LONGEST_LINE = 65_536;

export function createLine(): Line {
  const begin = new Int32Array(SPANS);
  const end = new Int32Array(SPANS);
  const odd = new Uint8Array(SPANS);
  const head = createLineHead();
  const agent = createLineAgent();
  let from: Buffer = Buffer.alloc(0);
  let view = new DataView(from.buffer, from.byteOffset, 0);
  let lineEnd = 0;
  let path = '';
  let anyOdd = 0;
  let problem: Problem = { reason: 'fields', field: 'line', at: 0, end: 0 };
  return {
    read,
    lineEnd: () => lineEnd,
    bad,
    lines: () => from,
    view: () => view,
    begin,
    end,
    odd,
    isOdd: () => anyOdd !== 0,
    time: head.time,
    idAt: head.idAt,
    idBits: head.idBits,
    weight: head.weight,
    resolvedPath: () => path,
    agentBits: agent.bits,
  };

  function read(lines: Buffer, at: number): boolean {
    if (lines !== from) view = new DataView(lines.buffer, lines.byteOffset, lines.length);
    from = lines;
    anyOdd = 0;
    const idEnd = head.read(lines, view, at);
    const ipEnd = readField(IP, idEnd + 1);
    const methodEnd = readField(METHOD, ipEnd + 1);
    const hostEnd = readField(HOST, methodEnd + 1);
    const uriEnd = readUri(hostEnd + 1);
    const itemEnd = readField(ITEM, uriEnd + 1);
    let last = readField(REF, itemEnd + 1);
    if (head.version() === 2) {
      last = readField(PURPOSE, last + 1);
      last = readField(VISITOR, last + 1);
    } else {
      leaveOut(PURPOSE, last);
      leaveOut(VISITOR, last);
    }
    const isWhole = lines[last] === TAB;
    if (isWhole) readAgent(last + 1);
    else lineEnd = newlineFrom(at);
    if (lineEnd - at > LONGEST_LINE) return refuse('too_long', 'line', at, lineEnd);
    if (head.version() === 0) return refuse('version', 'version', at, lineEnd);
    if (!isWhole) return refuse('fields', 'line', at, lineEnd);
    const inHead = head.problem();
    if (inHead !== undefined) return refuse(inHead.reason, inHead.field, inHead.at, inHead.end);
    if (!readAddress(idEnd + 1, ipEnd)) return refuse('ip', '$remote_addr', idEnd + 1, ipEnd);
    if (uriEnd === hostEnd + 1 || !resolve()) return refuse('uri', '$request_uri', hostEnd + 1, uriEnd);
    return true;
  }

  function refuse(reason: BadLineReason, field: string, at: number, until: number): false {
    problem = { reason, field, at, end: until };
    return false;
  }

  function bad(): BadLine {
    const { reason, field, at, end: until } = problem;
    return badLine(reason, field, from.toString('latin1', at, until));
  }

  /** Returns where the field ends: at a tab, a newline, or the end of all. One that is not there ends before its tab. */
  function readField(field: number, at: number): number {
    const lines = from;
    if (lines[at - 1] !== TAB) return leaveOut(field, at - 1);
    let i = plainEnd(at);
    begin[field] = at;
    let isOdd = 0;
    for (let byte = lines[i]; byte !== TAB && byte !== NEWLINE && i < lines.length; byte = lines[++i]) {
      isOdd |= 1 - (IS_PLAIN[byte ?? 0] ?? 0);
    }
    odd[field] = isOdd;
    anyOdd |= isOdd;
    end[field] = i;
    return i;
  }

  /** The end of the printable ASCII that JSON does not escape. Four bytes at a time. */
  function plainEnd(at: number): number {
    const words = view;
    const lines = from;
    let i = at;
    for (const last = lines.length - 4; i <= last; i += 4) {
      if (hasOdd(words.getInt32(i, true))) break;
    }
    while (IS_PLAIN[lines[i] ?? 0] === 1) i++;
    return i;
  }

  /** As nginx does: the query begins at the first `?`, and a fragment, which no browser sends, ends everything. */
  function readUri(at: number): number {
    const lines = from;
    odd[ARGS] = 0;
    if (lines[at - 1] !== TAB) return leaveOut(PATH, at - 1);
    let i = at;
    let isOdd = 0;
    for (;;) {
      const byte = lines[i] ?? 0;
      if (IS_PATH[byte] === 1) i++;
      else if (byte === SLASH) {
        const next = lines[i + 1];
        if (next === SLASH || next === DOT) isOdd = 1;
        i++;
      } else if (byte === PERCENT || (byte !== QUESTION && byte !== HASH && !endsField(lines, i))) {
        isOdd = 1;
        i++;
      } else break;
    }
    begin[PATH] = at;
    end[PATH] = i;
    odd[PATH] = isOdd | (i === at ? 1 : 0);
    anyOdd |= isOdd;
    const args = lines[i] === QUESTION ? i + 1 : i;
    const argsEnd = lines[i] === QUESTION ? readArgs(args) : i;
    begin[ARGS] = args;
    end[ARGS] = argsEnd;
    return lines[argsEnd] === HASH ? fieldEnd(lines, argsEnd) : argsEnd;
  }

  function readArgs(at: number): number {
    const lines = from;
    let isOdd = 0;
    let i = at;
    for (; lines[i] !== HASH && !endsField(lines, i); i++) isOdd |= 1 - (IS_PLAIN[lines[i] ?? 0] ?? 0);
    odd[ARGS] = isOdd;
    anyOdd |= isOdd;
    return i;
  }

  /** To the end of the line. */
  function readAgent(at: number): void {
    lineEnd = agent.read(from, view, at);
    begin[UA] = at;
    end[UA] = lineEnd;
    odd[UA] = agent.odd();
    anyOdd |= agent.odd();
  }

  function readAddress(at: number, until: number): boolean {
    odd[IP] = isIPv4(from, at, until) ? 0 : 1;
    return odd[IP] === 0 || readOtherAddress(at, until);
  }

  /** An IPv4 address that came in through an IPv6 socket is the IPv4 address. */
  function readOtherAddress(at: number, until: number): boolean {
    const ipv4At = unmappedAt(from, at);
    if (ipv4At === at || !isIPv4(from, ipv4At, until)) return isOtherClient(from, at, until);
    begin[IP] = ipv4At;
    odd[IP] = 0;
    return true;
  }

  function resolve(): boolean {
    if (odd[PATH] === 0) return true;
    path = normalisePath(from.toString('latin1', begin[PATH], end[PATH]));
    return path !== '';
  }

  function leaveOut(field: number, at: number): number {
    begin[field] = at;
    end[field] = at;
    odd[field] = 0;
    return at;
  }

  function newlineFrom(at: number): number {
    const newline = from.indexOf(NEWLINE, at);
    return newline === -1 ? from.length : newline;
  }
}
