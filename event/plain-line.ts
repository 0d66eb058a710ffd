import { isIPv6 } from 'node:net';
import type { BotTest } from './bot-test.ts';
import { createByteWriter, OVERSHOOT_BYTES, type Piece, pieceOf } from './byte-writer.ts';
import type { DailyHash } from './daily-hash.ts';
import { LIMITS } from './from-line.ts';
import { bitsAt } from './id-bits.ts';
import { unmapped } from './ipv4-mapped.ts';
import { KINDS, kindOf } from './kind.ts';
import { createVisitorHash } from './visitor.ts';

/*
 * The short way from a line to an event's JSON, byte by byte, for lines in which nothing needs to be decoded, escaped, cut
 * or resolved: nearly all. It takes a third of the time that `fromLine` and `JSON.stringify` take. What it writes is what
 * they would, byte for byte; whatever it is not sure of, it leaves to them (test/unit/event/plain-line.test.ts).
 */

export type PlainLines = {
  /**
   * Writes the event of the line that begins at `at` into `out` from `outAt` on, with a newline behind it. False: the line
   * has to go the long way, or is no event. `out` needs room for the line and `mostAdded` bytes more.
   */
  write(lines: Buffer, at: number, out: Buffer, outAt: number): boolean;
  /** Of what was written last: `bitsOf` its id, where its line ended (at the newline, or the end of all), and where the event does. */
  idBits(word: 0 | 1): number;
  lineEnd(): number;
  outEnd(): number;
  /** By how many bytes an event, and what is written past its end, may be longer than its line. */
  mostAdded: number;
};

const TAB = 0x09;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const HASH = 0x23;
const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const ONE = 0x31;
const TWO = 0x32;
const QUESTION = 0x3f;
const BACKSLASH = 0x5c;

const HEX = Buffer.from('0123456789abcdef');
/** Printable ASCII that JSON writes as it is. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
const IS_HEX = Uint8Array.from({ length: 256 }, (_, byte) => (HEX.includes(byte) ? 1 : 0));

/** Where things lie in a line: version, seconds and milliseconds, request id. */
const AT = { seconds: 2, dot: 12, ms: 13, id: 17, ip: 50 } as const;
const KEPT_ID_DIGITS = 20;
const LONGEST_IP = 45;
const OCTETS = 4;
const MOST_OCTET = 255;
const MAPPED = Buffer.from('::ffff:');
const GET = [0x47, 0x45, 0x54];
const TWO_32 = 2 ** 32;

const PIECES = {
  start: pieceOf('{"v":1,"id":"'),
  time: pieceOf('","time":'),
  uri: pieceOf(',"uri":"'),
  item: pieceOf('","item":"'),
  ip: pieceOf('","ip":"'),
  args: pieceOf('","args":"'),
  host: pieceOf('","host":"'),
  method: pieceOf('","method":"'),
  ua: pieceOf('","ua":"'),
  ref: pieceOf('","ref":"'),
  visitor: pieceOf(',"visitor":"'),
  quote: pieceOf('"'),
  bot: pieceOf(',"bot":true'),
  close: pieceOf('}\n'),
};
const KIND_PIECES = new Map(KINDS.map((kind) => [kind, pieceOf(`,"kind":"${kind}"`)]));
const LONGEST_KIND_BYTES: number = Math.max(...[...KIND_PIECES.values()].map(({ length }) => length));
const HASH_BYTES = 16;
const PIECES_BYTES: number =
  Object.values(PIECES).reduce((sum, { length }) => sum + length, 0) + LONGEST_KIND_BYTES + HASH_BYTES;

export type PlainLinesOptions = {
  /** As `fromLine` takes them. */
  node: string;
  hashVisitor?: DailyHash;
  isBot: BotTest;
};

export function createPlainLines({
  node,
  hashVisitor = createVisitorHash(),
  isBot,
}: PlainLinesOptions): PlainLines {
  const nodePiece = pieceOf(node === '' ? '"' : `","node":${JSON.stringify(node)}`);
  const { begin, put, putByte, copy, end } = createByteWriter();
  let from: Buffer = Buffer.alloc(0);
  let lineAt = 0;
  let lineEnd = 0;
  return {
    write,
    idBits: (word) => bitsAt(from, lineAt + AT.id, word),
    lineEnd: () => lineEnd,
    outEnd: end,
    mostAdded: PIECES_BYTES + nodePiece.length + LIMITS.item + OVERSHOOT_BYTES,
  };

  function write(lines: Buffer, at: number, out: Buffer, outAt: number): boolean {
    from = lines;
    lineAt = at;
    if (!startsWell(at)) return false;
    const ip = at + AT.ip;
    const ipEnd = plainEnd(ip);
    const method = ipEnd + 1;
    const methodEnd = plainEnd(method);
    const hostEnd = plainEnd(methodEnd + 1);
    const uri = hostEnd + 1;
    const pathEnd = plainPathEnd(uri);
    const hasArgs = from[pathEnd] === QUESTION;
    const args = hasArgs ? pathEnd + 1 : pathEnd;
    const argsEnd = hasArgs ? plainArgsEnd(args) : pathEnd;
    const item = argsEnd + 1;
    const itemEnd = plainEnd(item);
    const refEnd = plainEnd(itemEnd + 1);
    // Version 2 has two fields more; in version 1 they end where they begin.
    const second = from[at] === TWO;
    const purpose = second ? refEnd + 1 : refEnd;
    const purposeEnd = second ? plainEnd(purpose) : refEnd;
    const visitor = second ? purposeEnd + 1 : refEnd;
    const visitorEnd = second ? plainEnd(visitor) : refEnd;
    const ua = visitorEnd + 1;
    const uaEnd = plainEnd(ua);
    const separated =
      from[ipEnd] === TAB &&
      from[methodEnd] === TAB &&
      from[hostEnd] === TAB &&
      from[argsEnd] === TAB &&
      from[itemEnd] === TAB &&
      from[refEnd] === TAB &&
      from[purposeEnd] === TAB &&
      from[visitorEnd] === TAB &&
      (uaEnd >= from.length || from[uaEnd] === NEWLINE);
    if (!separated) return false;
    // An item that the line does not name is the path.
    const named = itemEnd > item;
    const itemLength = named ? itemEnd - item : pathEnd - uri;
    const short =
      pathEnd > uri &&
      pathEnd - uri <= LIMITS.uri &&
      argsEnd - args <= LIMITS.args &&
      itemLength <= LIMITS.item &&
      hostEnd - methodEnd <= LIMITS.host &&
      methodEnd - ipEnd <= LIMITS.method &&
      uaEnd - ua <= LIMITS.ua &&
      refEnd - itemEnd <= LIMITS.ref;
    const address = short ? clientAt(ip, ipEnd) : -1;
    if (address === -1) return false;

    begin(lines, out, outAt);
    put(PIECES.start);
    putTimeInHex(at);
    copy(at + AT.id, at + AT.id + KEPT_ID_DIGITS);
    put(PIECES.time);
    copy(at + AT.seconds, at + AT.dot);
    copy(at + AT.ms, at + AT.id - 1);
    put(PIECES.uri);
    copy(uri, pathEnd);
    put(PIECES.item);
    copy(named ? item : uri, named ? itemEnd : pathEnd);
    putField(PIECES.ip, address, ipEnd);
    putField(PIECES.args, args, argsEnd);
    putField(PIECES.host, methodEnd + 1, hostEnd);
    putField(PIECES.method, method, methodEnd);
    putField(PIECES.ua, ua, uaEnd);
    putField(PIECES.ref, itemEnd + 1, refEnd);
    put(nodePiece);
    if (visitorEnd > visitor) putVisitor(visitor, visitorEnd);
    if (purposeEnd > purpose || !isGet(method, methodEnd)) putKind(method, methodEnd, purpose, purposeEnd);
    if (isBot(textOf(ua, uaEnd))) put(PIECES.bot);
    put(PIECES.close);
    lineEnd = uaEnd;
    return true;
  }

  /** A version without sampling, a time of today's length, a request id. */
  function startsWell(at: number): boolean {
    if ((from[at] !== TWO && from[at] !== ONE) || from[at + 1] !== TAB) return false;
    if (from[at + AT.seconds] === ZERO || from[at + AT.dot] !== DOT) return false;
    for (let i = at + AT.seconds; i < at + AT.id - 1; i++) {
      if (!isDigit(from[i]) && i !== at + AT.dot) return false;
    }
    for (let i = at + AT.id; i < at + AT.ip - 1; i++) if (IS_HEX[from[i] ?? 0] === 0) return false;
    return from[at + AT.id - 1] === TAB && from[at + AT.ip - 1] === TAB;
  }

  function plainEnd(at: number): number {
    const lines = from;
    let i = at;
    while (IS_PLAIN[lines[i] ?? 0] === 1) i++;
    return i;
  }

  /** Stops at what nginx decodes, merges or resolves, so that no tab is found there. */
  function plainPathEnd(at: number): number {
    const lines = from;
    let i = at;
    while (IS_PLAIN[lines[i] ?? 0] === 1) {
      const byte = lines[i];
      if (byte === QUESTION || byte === PERCENT || byte === HASH) break;
      if (byte === SLASH && (lines[i + 1] === SLASH || lines[i + 1] === DOT)) break;
      i++;
    }
    return i;
  }

  function plainArgsEnd(at: number): number {
    const lines = from;
    let i = at;
    while (IS_PLAIN[lines[i] ?? 0] === 1 && lines[i] !== HASH) i++;
    return i;
  }

  function startsWith(bytes: Buffer, at: number): boolean {
    const lines = from;
    for (let i = 0; i < bytes.length; i++) if (lines[at + i] !== bytes[i]) return false;
    return true;
  }

  function textOf(at: number, until: number): string {
    return from.toString('latin1', at, until);
  }

  /** Where the address begins that the event has, which may be a part of the line's; -1 where the long way has to say. */
  function clientAt(at: number, until: number): number {
    if (until === at || isIPv4(at, until)) return at;
    if (until - at > LONGEST_IP) return -1;
    const mapped = at + MAPPED.length;
    if (startsWith(MAPPED, at) && isIPv4(mapped, until)) return mapped;
    const text = textOf(at, until);
    return isIPv6(text) && !text.includes('%') && unmapped(text) === text ? at : -1;
  }

  function isIPv4(at: number, until: number): boolean {
    let octets = 1;
    let octet = -1;
    for (let i = at; i < until; i++) {
      const byte = from[i] ?? 0;
      if (byte === DOT && octet >= 0) {
        octets++;
        octet = -1;
      } else if (isDigit(byte) && octet !== 0) {
        octet = Math.max(octet, 0) * 10 + byte - ZERO;
        if (octet > MOST_OCTET) return false;
      } else return false;
    }
    return octets === OCTETS && octet >= 0;
  }

  function putTimeInHex(at: number): void {
    const time = timeAt(at);
    const high = Math.floor(time / TWO_32);
    for (let shift = 12; shift >= 0; shift -= 4) putByte(HEX[(high >>> shift) & 15] ?? 0);
    for (let shift = 28; shift >= 0; shift -= 4) putByte(HEX[(time >>> shift) & 15] ?? 0);
  }

  /** Of the line that begins at `at`, in ms. */
  function timeAt(at: number): number {
    const lines = from;
    let time = 0;
    for (let i = at + AT.seconds; i < at + AT.id - 1; i++) {
      if (i !== at + AT.dot) time = time * 10 + (lines[i] ?? ZERO) - ZERO;
    }
    return time;
  }

  function isGet(at: number, until: number): boolean {
    return until - at === 3 && from[at] === GET[0] && from[at + 1] === GET[1] && from[at + 2] === GET[2];
  }

  function putKind(method: number, methodEnd: number, purpose: number, purposeEnd: number): void {
    const kind = kindOf(textOf(method, methodEnd), textOf(purpose, purposeEnd));
    const piece = kind === undefined ? undefined : KIND_PIECES.get(kind);
    if (piece !== undefined) put(piece);
  }

  /** The hash has hexadecimal digits only. */
  function putVisitor(at: number, until: number): void {
    const hashed = hashVisitor(textOf(at, until), timeAt(lineAt));
    put(PIECES.visitor);
    for (let i = 0; i < hashed.length; i++) putByte(hashed.charCodeAt(i));
    put(PIECES.quote);
  }

  /** Nothing where the field is empty. */
  function putField(key: Piece, at: number, until: number): void {
    if (at === until) return;
    put(key);
    copy(at, until);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
