import { isIP } from 'node:net';
import type { BotTest } from './bot-test.ts';
import { LIMITS } from './from-line.ts';

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
  /** Of what was written last: the id, where its line ended (at the newline, or the end of all), and where the event does. */
  id(): string;
  lineEnd(): number;
  outEnd(): number;
  /** By how many bytes an event may be longer than its line. */
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
const TIME_DIGITS = 12;
const KEPT_ID_DIGITS = 20;
const LONGEST_IP = 45;
const TWO_32 = 2 ** 32;

const PIECES = {
  start: Buffer.from('{"v":1,"id":"'),
  time: Buffer.from('","time":'),
  uri: Buffer.from(',"uri":"'),
  item: Buffer.from('","item":"'),
  ip: Buffer.from('","ip":"'),
  args: Buffer.from('","args":"'),
  host: Buffer.from('","host":"'),
  method: Buffer.from('","method":"'),
  ua: Buffer.from('","ua":"'),
  ref: Buffer.from('","ref":"'),
  bot: Buffer.from(',"bot":true'),
  close: Buffer.from('}\n'),
};
const PIECES_BYTES: number = Object.values(PIECES).reduce((sum, { length }) => sum + length, 0);

/** `node` as `fromLine` takes it. */
export function createPlainLines({ node, isBot }: { node: string; isBot: BotTest }): PlainLines {
  const nodePiece = Buffer.from(node === '' ? '"' : `","node":${JSON.stringify(node)}`);
  let from: Buffer = Buffer.alloc(0);
  let to: Buffer = from;
  let idAt = 0;
  let lineEnd = 0;
  let end = 0;
  return {
    write,
    id: () => to.toString('latin1', idAt, idAt + TIME_DIGITS + KEPT_ID_DIGITS),
    lineEnd: () => lineEnd,
    outEnd: () => end,
    mostAdded: PIECES_BYTES + nodePiece.length + LIMITS.item,
  };

  function write(lines: Buffer, at: number, out: Buffer, outAt: number): boolean {
    from = lines;
    to = out;
    if (!startsWell(at)) return false;
    const ip = at + AT.ip;
    const ipEnd = plainEnd(ip);
    const methodEnd = plainEnd(ipEnd + 1);
    const hostEnd = plainEnd(methodEnd + 1);
    const uri = hostEnd + 1;
    const pathEnd = plainPathEnd(uri);
    const hasArgs = from[pathEnd] === QUESTION;
    const args = hasArgs ? pathEnd + 1 : pathEnd;
    const argsEnd = hasArgs ? plainArgsEnd(args) : pathEnd;
    const item = argsEnd + 1;
    const itemEnd = plainEnd(item);
    const refEnd = plainEnd(itemEnd + 1);
    const ua = refEnd + 1;
    const uaEnd = plainEnd(ua);
    const separated =
      from[ipEnd] === TAB &&
      from[methodEnd] === TAB &&
      from[hostEnd] === TAB &&
      from[argsEnd] === TAB &&
      from[itemEnd] === TAB &&
      from[refEnd] === TAB &&
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
    if (!short || !isClient(ip, ipEnd)) return false;

    end = outAt;
    put(PIECES.start);
    idAt = end;
    putTimeInHex(at);
    copy(at + AT.id, at + AT.id + KEPT_ID_DIGITS);
    put(PIECES.time);
    copy(at + AT.seconds, at + AT.dot);
    copy(at + AT.ms, at + AT.id - 1);
    put(PIECES.uri);
    copy(uri, pathEnd);
    put(PIECES.item);
    copy(named ? item : uri, named ? itemEnd : pathEnd);
    putField(PIECES.ip, ip, ipEnd);
    putField(PIECES.args, args, argsEnd);
    putField(PIECES.host, methodEnd + 1, hostEnd);
    putField(PIECES.method, ipEnd + 1, methodEnd);
    putField(PIECES.ua, ua, uaEnd);
    putField(PIECES.ref, itemEnd + 1, refEnd);
    put(nodePiece);
    if (isBot(from.toString('latin1', ua, uaEnd))) put(PIECES.bot);
    put(PIECES.close);
    lineEnd = uaEnd;
    return true;
  }

  /** Version 1, a time of today's length, a request id. */
  function startsWell(at: number): boolean {
    if (from[at] !== ONE || from[at + 1] !== TAB) return false;
    if (from[at + AT.seconds] === ZERO || from[at + AT.dot] !== DOT) return false;
    for (let i = at + AT.seconds; i < at + AT.id - 1; i++) {
      if (!isDigit(from[i]) && i !== at + AT.dot) return false;
    }
    for (let i = at + AT.id; i < at + AT.ip - 1; i++) if (IS_HEX[from[i] ?? 0] === 0) return false;
    return from[at + AT.id - 1] === TAB && from[at + AT.ip - 1] === TAB;
  }

  function plainEnd(at: number): number {
    let i = at;
    while (IS_PLAIN[from[i] ?? 0] === 1) i++;
    return i;
  }

  /** Stops at what nginx decodes, merges or resolves, so that no tab is found there. */
  function plainPathEnd(at: number): number {
    let i = at;
    while (IS_PLAIN[from[i] ?? 0] === 1) {
      const byte = from[i];
      if (byte === QUESTION || byte === PERCENT || byte === HASH) break;
      if (byte === SLASH && (from[i + 1] === SLASH || from[i + 1] === DOT)) break;
      i++;
    }
    return i;
  }

  function plainArgsEnd(at: number): number {
    let i = at;
    while (IS_PLAIN[from[i] ?? 0] === 1 && from[i] !== HASH) i++;
    return i;
  }

  function isClient(at: number, until: number): boolean {
    if (until === at) return true;
    if (until - at > LONGEST_IP) return false;
    const text = from.toString('latin1', at, until);
    return isIP(text) !== 0 && !text.includes('%');
  }

  function putTimeInHex(at: number): void {
    let time = 0;
    for (let i = at + AT.seconds; i < at + AT.id - 1; i++) {
      if (i !== at + AT.dot) time = time * 10 + (from[i] ?? ZERO) - ZERO;
    }
    const high = Math.floor(time / TWO_32);
    for (let shift = 12; shift >= 0; shift -= 4) to[end++] = HEX[(high >>> shift) & 15] ?? 0;
    for (let shift = 28; shift >= 0; shift -= 4) to[end++] = HEX[(time >>> shift) & 15] ?? 0;
  }

  /** Nothing where the field is empty. */
  function putField(key: Buffer, at: number, until: number): void {
    if (at === until) return;
    put(key);
    copy(at, until);
  }

  // Loops, because a call of `copy` or `set` costs more than the bytes of a field.
  function put(piece: Buffer): void {
    for (let i = 0; i < piece.length; i++) to[end++] = piece[i] ?? 0;
  }

  function copy(at: number, until: number): void {
    for (let i = at; i < until; i++) to[end++] = from[i] ?? 0;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
