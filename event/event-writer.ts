import { createAddressMask } from './address-mask.ts';
import type { BotTest } from './bot-test.ts';
import type { DailyHash } from './daily-hash.ts';
import { agentText, cutText, LIMITS, type LimitedField, toText } from './field-text.ts';
import { unmapped } from './ipv4-mapped.ts';
import type { Kind } from './kind.ts';
import { ARGS, HOST, IP, type Line, METHOD, PATH, REF, UA, VISITOR } from './line.ts';
import { itemField } from './line-item.ts';
import { lineKind } from './line-kind.ts';
import type { Omittable, RedactionOptions } from './redaction.ts';

/*
 * The event of a line as JSON, written field by field from the line's spans of bytes. A field of printable ASCII, as nearly all are,
 * is copied. Any other is made a text first: decoded, cut, escaped. What privacy forbids is never written.
 */

export type EventWriterOptions = RedactionOptions & {
  /** The host's name; empty for none. */
  node: string;
  /** What is kept of a visitor key. */
  hashVisitor: DailyHash;
  isBot: BotTest;
};

/** How much of an event is written. */
export type Extent = {
  /** The views that it stands for, as a multiple of those that its line does. */
  oneIn: number;
  /** Only what a count needs. */
  bare: boolean;
};

export type EventWriter = {
  /** Writes the event of the line that was read last, with a newline behind it, into `out` from `at` on. Returns where it ends. */
  write(line: Line, out: Buffer, at: number, extent: Extent): number;
  /** The room that `write` needs behind `at`. */
  mostBytes(line: Line): number;
};

/** Bytes that are written again and again: in words, of which the first `length` bytes count. */
type Piece = { words: Float64Array; length: number };

/** The most characters that a field may have. */
type Limit = { name: LimitedField; most: number };

const WORD_BYTES = 8;
const ID_TIME_DIGITS = 12;
const KEPT_ID_DIGITS = 20;
const DOT = 0x2e;
/** Of a byte of the line: `\u0000`, in `uri`, `raw` and `item`. */
const MOST_WIDENED = 18;
/** Of a line that is copied: the path may stand for the item as well. */
const MOST_COPIED = 2;
/** The names of the fields, and what is in every event. */
const FIXED_BYTES = 1024;

const URI_LIMIT = limitOf('uri');
const ITEM_LIMIT = limitOf('item');
const RAW_LIMIT = limitOf('raw');
const ARGS_LIMIT = limitOf('args');
const HOST_LIMIT = limitOf('host');
const METHOD_LIMIT = limitOf('method');
const UA_LIMIT = limitOf('ua');
const REF_LIMIT = limitOf('ref');

const ITEM_KEY = keyOf('item');
const IP_KEY = keyOf('ip');
const RAW_KEY = keyOf('raw');
const ARGS_KEY = keyOf('args');
const HOST_KEY = keyOf('host');
const METHOD_KEY = keyOf('method');
const UA_KEY = keyOf('ua');
const REF_KEY = keyOf('ref');
const VISITOR_KEY = keyOf('visitor');
const KIND = {
  prefetch: pieceOf(',"kind":"prefetch"'),
  part: pieceOf(',"kind":"part"'),
  head: pieceOf(',"kind":"head"'),
  other: pieceOf(',"kind":"other"'),
  test: pieceOf(',"kind":"test"'),
} satisfies Record<Kind, Piece>;
const BOT = pieceOf(',"bot":true');
const WEIGHT = pieceOf(',"weight":');
const CUT = pieceOf(',"cut":');
const QUOTE = pieceOf('"');
const ZERO_OCTET = pieceOf('0');
const CLOSE = pieceOf('}\n');

/** Throws where addresses are to be hashed and there is no salt. */
export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { node, hashVisitor, isBot, ip, omit } = options;
  const mask = createAddressMask(ip);
  const keeps = keptOf(omit);
  const nodePiece = pieceOf(keeps.node && node !== '' ? `","node":"${escaped(node)}` : '');
  const cut: LimitedField[] = [];
  let lines: Buffer = Buffer.alloc(0);
  let from = viewOf(lines);
  let out: Buffer = lines;
  let to = from;
  let end = 0;
  let time = Number.NaN;
  let upToId = pieceOf('');
  let upToUri = pieceOf('');
  return { write, mostBytes };

  function mostBytes(line: Line): number {
    const bytes = line.lineEnd() - line.idAt();
    return FIXED_BYTES + nodePiece.length + bytes * (line.isOdd() ? MOST_WIDENED : MOST_COPIED);
  }

  function write(line: Line, into: Buffer, at: number, { oneIn, bare }: Extent): number {
    begin(line, into, at);
    put(upToId);
    copy(line.idAt(), line.idAt() + KEPT_ID_DIGITS);
    put(upToUri);
    const path = line.odd[PATH] === 0 ? undefined : line.resolvedPath();
    if (path === undefined) putBytes(line, PATH, URI_LIMIT);
    else putText(URI_LIMIT, path);
    put(ITEM_KEY);
    const item = itemField(line);
    if (item === PATH && path !== undefined) putText(ITEM_LIMIT, path);
    else putBytes(line, item, ITEM_LIMIT);
    if (!bare) putDetails(line, path);
    put(QUOTE);
    const kind = lineKind(line);
    if (kind !== undefined) put(KIND[kind]);
    if (keeps.bot && isBot(line)) put(BOT);
    const weight = line.weight() * oneIn;
    if (weight > 1) {
      put(WEIGHT);
      putString(String(weight));
    }
    if (cut.length > 0 && !bare) {
      put(CUT);
      putString(JSON.stringify(cut));
    }
    put(CLOSE);
    return end;
  }

  function begin(line: Line, into: Buffer, at: number): void {
    if (line.lines() !== lines) {
      lines = line.lines();
      from = viewOf(lines);
    }
    if (into !== out) {
      out = into;
      to = viewOf(out);
    }
    end = at;
    if (cut.length > 0) cut.length = 0;
    if (line.time() === time) return;
    // Lines come in the order of time, many in a millisecond when there are many.
    time = line.time();
    upToId = pieceOf(`{"v":1,"id":"${time.toString(16).padStart(ID_TIME_DIGITS, '0')}`);
    upToUri = pieceOf(`","time":${time},"uri":"`);
  }

  /** All but what a count needs. */
  function putDetails(line: Line, path: string | undefined): void {
    putAddress(line);
    if (keeps.raw && path !== undefined) putRaw(line, path);
    if (keeps.args) putField(ARGS_KEY, line, ARGS, ARGS_LIMIT);
    if (keeps.host) putField(HOST_KEY, line, HOST, HOST_LIMIT);
    if (keeps.method) putField(METHOD_KEY, line, METHOD, METHOD_LIMIT);
    if (keeps.ua) putAgent(line);
    if (keeps.ref) putField(REF_KEY, line, REF, REF_LIMIT);
    put(nodePiece);
    if (keeps.visitor && line.begin[VISITOR] !== line.end[VISITOR]) {
      put(VISITOR_KEY);
      putString(hashVisitor(bytesOf(line, VISITOR), time));
    }
  }

  function putAddress(line: Line): void {
    const at = line.begin[IP] ?? 0;
    const until = line.end[IP] ?? 0;
    if (at === until) return;
    const isIPv4 = line.odd[IP] === 0;
    if (isIPv4 && ip.mode === 'full') {
      put(IP_KEY);
      copy(at, until);
    } else if (isIPv4 && ip.mode === 'truncate') {
      put(IP_KEY);
      copy(at, lines.lastIndexOf(DOT, until) + 1);
      put(ZERO_OCTET);
    } else {
      const kept = mask(unmapped(bytesOf(line, IP)), time);
      if (kept === undefined) return;
      put(IP_KEY);
      putString(kept);
    }
  }

  /** The path as it was asked for, where nginx resolves it to another. */
  function putRaw(line: Line, path: string): void {
    const asked = bytesOf(line, PATH);
    if (asked === path || asked === '') return;
    put(RAW_KEY);
    putText(RAW_LIMIT, asked.replace(/[^\x21-\x7e]/g, percentEncoded));
  }

  function putAgent(line: Line): void {
    if (line.odd[UA] === 0) {
      putField(UA_KEY, line, UA, UA_LIMIT);
      return;
    }
    const text = agentText(line);
    if (text === '') return;
    put(UA_KEY);
    putText(UA_LIMIT, text);
  }

  /** Nothing where the field is empty. */
  function putField(key: Piece, line: Line, field: number, limit: Limit): void {
    if (line.begin[field] === line.end[field]) return;
    put(key);
    putBytes(line, field, limit);
  }

  function putBytes(line: Line, field: number, limit: Limit): void {
    const at = line.begin[field] ?? 0;
    const until = line.end[field] ?? 0;
    if (line.odd[field] === 0 && until - at <= limit.most) copy(at, until);
    else putLong(line, field, limit);
  }

  // A function of its own, so that the one above is small enough for V8 to inline.
  function putLong(line: Line, field: number, limit: Limit): void {
    putText(limit, toText(bytesOf(line, field)));
  }

  function putText({ name }: Limit, text: string): void {
    const kept = cutText(name, text);
    if (kept.length < text.length) cut.push(name);
    putString(escaped(kept));
  }

  function putString(text: string): void {
    end += out.write(text, end);
  }

  function bytesOf(line: Line, field: number): string {
    return lines.toString('latin1', line.begin[field], line.end[field]);
  }

  // Four bytes at a time: one at a time takes half as long again for a whole event, and a call of `Buffer.copy` costs more than
  // the bytes of a field. What a loop uses is local to it: a variable of the closure would be fetched for each word.
  function put({ words, length }: Piece): void {
    const view = to;
    let at = end;
    for (let i = 0; i < words.length; i++, at += WORD_BYTES) view.setFloat64(at, words[i] ?? 0, true);
    end += length;
  }

  /** Bytes `first` to `until` of the lines. Goes up to three bytes past the last, where room is kept for them. */
  function copy(first: number, until: number): void {
    const source = from;
    const view = to;
    const lastWord = Math.min(until, source.byteLength - (WORD_BYTES - 1));
    let at = first;
    let outAt = end;
    for (; at < lastWord; at += WORD_BYTES, outAt += WORD_BYTES)
      view.setFloat64(outAt, source.getFloat64(at, true), true);
    for (; at < until; at++, outAt++) view.setUint8(outAt, source.getUint8(at));
    end += until - first;
  }
}

function keptOf(omit: readonly Omittable[]) {
  const keeps = (field: Omittable) => !omit.includes(field);
  return {
    raw: keeps('raw'),
    args: keeps('args'),
    host: keeps('host'),
    method: keeps('method'),
    ua: keeps('ua'),
    ref: keeps('ref'),
    node: keeps('node'),
    visitor: keeps('visitor'),
    bot: keeps('bot'),
  };
}

function limitOf(name: LimitedField): Limit {
  return { name, most: LIMITS[name] };
}

/** The key of a text that follows another text, whose end it writes as well. */
function keyOf(name: string): Piece {
  return pieceOf(`","${name}":"`);
}

function pieceOf(text: string): Piece {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.alloc(Math.ceil(length / WORD_BYTES) * WORD_BYTES);
  bytes.write(text);
  const words = new Float64Array(bytes.length / WORD_BYTES);
  return { words: words.map((_, i) => bytes.readDoubleLE(i * WORD_BYTES)), length };
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function percentEncoded(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
