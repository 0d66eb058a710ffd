import { randomInt } from 'node:crypto';
import { type BadLine, type BadLineReason, badLine } from './bad-line.ts';
import { isIPv4, isOtherClient, unmappedAt } from './client-address.ts';
import {
  DOT,
  HASH,
  hasOdd,
  hexOf,
  IS_PATH,
  IS_PLAIN,
  isDigit,
  NEWLINE,
  PERCENT,
  QUESTION,
  SLASH,
  TAB,
  wrongDigits,
  ZERO,
} from './line-bytes.ts';
import { ARGS, HOST, IP, ITEM, METHOD, PATH, PURPOSE, REF, SPANS, UA, VISITOR } from './line-fields.ts';
import { normalisePath } from './normalise-path.ts';

/*
 * A line as nginx writes it, its fields found once, as spans of bytes. Everything that is done about a view works on these
 * spans: whether the view is new, whether it is kept, how its event is written, and what it counts for.
 *
 * Fields, separated by tabs: version, `$msec`, `$request_id`, `$remote_addr`, `$request_method`, `$host`, `$request_uri`, item,
 * `$http_referer`, `$hotitem_purpose`, `$hotitem_visitor`, `$http_user_agent`. Only the last may hold a tab. Version 1, of
 * older includes, lacks purpose and visitor. `2/N`: one in N views is captured.
 */

export type Line = {
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
  /** `$msec`, ms since 1970. */
  time(): number;
  /** Where `$request_id` begins: 32 hexadecimal digits. */
  idAt(): number;
  /** `bitsOf` the event's id. */
  idBits(word: 0 | 1): number;
  /** How many views this one stands for. */
  weight(): number;
  /** The path as nginx resolves it, where that is `odd`. */
  resolvedPath(): string;
  /** 64 bits of a hash of the user agent, different in each process. */
  agentBits(word: 0 | 1): number;
};

/** Where it is to be seen. */
type Problem = { reason: BadLineReason; field: string; at: number; end: number };

const ONE = 0x31;
const TWO = 0x32;
const ID_DIGITS = 32;
const MS_DIGITS = 3;
const SHORTEST_TIME = '123456789.123'.length;
const LONGEST_TIME = '12345678901.123'.length;
/** nginx's own limits (four header buffers of 8 KB) keep every honest line below this. */
const LONGEST_LINE = 65_536;
const MOST_ONE_IN = 10_000;

export function createLine(): Line {
  const begin = new Int32Array(SPANS);
  const end = new Int32Array(SPANS);
  const odd = new Uint8Array(SPANS);
  const time = new Float64Array(1);
  const id = new Int32Array(2);
  const agent = new Int32Array(2);
  const [seed0, seed1] = [randomInt(2 ** 31), randomInt(2 ** 31)];
  let from: Buffer = Buffer.alloc(0);
  let view = new DataView(from.buffer, from.byteOffset, 0);
  let lineEnd = 0;
  let idAt = 0;
  let weight = 1;
  let path = '';
  let isId = false;
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
    time: () => time[0] ?? 0,
    idAt: () => idAt,
    idBits: (word) => id[word] ?? 0,
    weight: () => weight,
    resolvedPath: () => path,
    agentBits: (word) => agent[word] ?? 0,
  };

  function read(lines: Buffer, at: number): boolean {
    if (lines !== from) view = new DataView(lines.buffer, lines.byteOffset, lines.length);
    from = lines;
    weight = 1;
    anyOdd = 0;
    const version = lines[at];
    const versionEnd = lines[at + 1] === SLASH ? readWeight(at + 2) : at + 1;
    const isVersion = (version === ONE || version === TWO) && endsField(versionEnd) && weight > 0;
    const timeEnd = readTime(versionEnd + 1);
    idAt = timeEnd + 1;
    const idEnd = readId(idAt);
    const ipEnd = readField(IP, idEnd + 1);
    const methodEnd = readField(METHOD, ipEnd + 1);
    const hostEnd = readField(HOST, methodEnd + 1);
    const uriEnd = readUri(hostEnd + 1);
    const itemEnd = readField(ITEM, uriEnd + 1);
    let last = readField(REF, itemEnd + 1);
    if (version === TWO) {
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
    if (!isVersion) return refuse('version', 'version', at, lineEnd);
    if (!isWhole) return refuse('fields', 'line', at, lineEnd);
    if (Number.isNaN(time[0])) return refuse('time', '$msec', versionEnd + 1, timeEnd);
    if (!isId) return refuse('request_id', '$request_id', idAt, idEnd);
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

  /** Where N ends; `weight` is 0 for one that is none. */
  function readWeight(at: number): number {
    let n = 0;
    let i = at;
    for (; isDigit(from[i]) && n <= MOST_ONE_IN; i++) n = n * 10 + (from[i] ?? 0) - ZERO;
    weight = from[at] === ZERO || n < 2 || n > MOST_ONE_IN ? 0 : n;
    return i;
  }

  /** Seconds, a dot, and three digits; NaN for anything else. */
  function readTime(at: number): number {
    const lines = from;
    if (lines[at - 1] !== TAB) return at - 1;
    let value = 0;
    let i = at;
    for (; isDigit(lines[i]); i++) value = value * 10 + (lines[i] ?? 0) - ZERO;
    const dot = i;
    if (lines[dot] === DOT) for (i++; isDigit(lines[i]); i++) value = value * 10 + (lines[i] ?? 0) - ZERO;
    const length = i - at;
    const isTime =
      lines[i] === TAB && i - dot === MS_DIGITS + 1 && length >= SHORTEST_TIME && length <= LONGEST_TIME;
    time[0] = isTime ? value : Number.NaN;
    return isTime ? i : fieldEnd(i);
  }

  function readId(at: number): number {
    const lines = from;
    const words = view;
    if (lines[at - 1] !== TAB) return at - 1;
    isId = lines[at + ID_DIGITS] === TAB;
    if (!isId) return fieldEnd(at);
    let wrong = 0;
    for (let i = at; i < at + ID_DIGITS; i += 4) wrong |= wrongDigits(words.getInt32(i));
    isId = wrong === 0;
    if (!isId) return fieldEnd(at);
    id[0] = (hexOf(words.getInt32(at)) << 16) | hexOf(words.getInt32(at + 4));
    id[1] = (hexOf(words.getInt32(at + 8)) << 16) | hexOf(words.getInt32(at + 12));
    return at + ID_DIGITS;
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

  /** Where printable ASCII ends that JSON writes as it is. Four bytes at a time. */
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
      } else if (byte === PERCENT || (byte !== QUESTION && byte !== HASH && !endsField(i))) {
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
    return lines[argsEnd] === HASH ? fieldEnd(argsEnd) : argsEnd;
  }

  function readArgs(at: number): number {
    const lines = from;
    let isOdd = 0;
    let i = at;
    for (; lines[i] !== HASH && !endsField(i); i++) isOdd |= 1 - (IS_PLAIN[lines[i] ?? 0] ?? 0);
    odd[ARGS] = isOdd;
    anyOdd |= isOdd;
    return i;
  }

  /** The user agent, to the end of the line; and its hash. */
  function readAgent(at: number): void {
    const lines = from;
    const words = view;
    let high = seed0;
    let low = seed1;
    let i = at;
    for (const last = lines.length - 4; i <= last; i += 4) {
      const word = words.getInt32(i, true);
      if (hasOdd(word)) break;
      high = mixed(high ^ word);
      low = mixedAgain(low + word);
    }
    let isOdd = 0;
    let word = 0;
    let shift = 0;
    for (; i < lines.length && lines[i] !== NEWLINE; i++) {
      const byte = lines[i] ?? 0;
      isOdd |= 1 - (IS_PLAIN[byte] ?? 0);
      word |= byte << shift;
      shift += 8;
      if (shift < 32) continue;
      high = mixed(high ^ word);
      low = mixedAgain(low + word);
      word = 0;
      shift = 0;
    }
    // The last word may be the same for texts of different length.
    agent[0] = mixed(high ^ word) ^ (i - at);
    agent[1] = mixedAgain(low + word) ^ (i - at);
    begin[UA] = at;
    end[UA] = i;
    odd[UA] = isOdd;
    anyOdd |= isOdd;
    lineEnd = i;
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

  function fieldEnd(at: number): number {
    let i = at;
    while (!endsField(i)) i++;
    return i;
  }

  function endsField(at: number): boolean {
    const byte = from[at];
    return byte === TAB || byte === NEWLINE || byte === undefined;
  }
}

/** One step of a hash of words: the multipliers are those of MurmurHash3's finaliser. */
function mixed(word: number): number {
  const product = Math.imul(word, 0x85ebca6b);
  return (product << 13) | (product >>> 19);
}

/** The same of another hash. */
function mixedAgain(word: number): number {
  const product = Math.imul(word, 0xc2b2ae35);
  return product ^ (product >>> 15);
}
