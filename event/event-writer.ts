import type { BotTest } from './bot-test.ts';
import type { DailyHash } from './daily-hash.ts';
import { agentText, cutText, escaped, percentEncoded, toText } from './field-text.ts';
import { FIELDS, type FieldName, type LimitedField } from './fields.ts';
import { keyOf, type Piece, pieceOf, WORD_BYTES } from './json-piece.ts';
import { createKeptAddress } from './kept-address.ts';
import type { Kind } from './kind.ts';
import type { Line } from './line.ts';
import { IP, ITEM, PATH, UA, VISITOR } from './line-fields.ts';
import { itemField } from './line-item.ts';
import { lineKind } from './line-kind.ts';
import type { RedactionOptions } from './redaction.ts';
import { type SpanField, spanFields } from './span-field.ts';

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
  /** The views that it represents, as a multiple of those of its line. */
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

type Limit = { name: LimitedField; limit: number };
const ID_TIME_DIGITS = 12;
const KEPT_ID_DIGITS = 20;
/** Of a byte of the line: `\u0000`, in `uri`, `raw` and `item`. */
const MOST_WIDENED = 18;
/** Of a line that is copied: the path may also be the item. */
const MOST_COPIED = 2;
/** The names of the fields, and what is in every event. */
const FIXED_BYTES = 1024;

const URI: Limit = { name: 'uri', limit: FIELDS.uri.limit };
const ITEM_LIMIT: Limit = { name: 'item', limit: FIELDS.item.limit };
const ITEM_KEY = keyOf('item');
const IP_KEY = keyOf('ip');
const RAW_KEY = keyOf('raw');
const VISITOR_KEY = keyOf('visitor');
const ZERO_OCTET = pieceOf('0');
const ZERO_GROUPS = pieceOf('::');
const KIND = {
  prefetch: pieceOf(',"kind":"prefetch"'),
  part: pieceOf(',"kind":"part"'),
  head: pieceOf(',"kind":"head"'),
  other: pieceOf(',"kind":"other"'),
  test: pieceOf(',"kind":"test"'),
} satisfies Record<Kind, Piece>;
const BOT = pieceOf(',"bot":true');
const CUT = pieceOf(',"cut":');
const QUOTE = pieceOf('"');
const CLOSE = pieceOf('}\n');

/** Throws where addresses are to be hashed and there is no salt. */
export function createEventWriter({ node, hashVisitor, isBot, ip, omit }: EventWriterOptions): EventWriter {
  const address = createKeptAddress(ip);
  const omitted = new Set<FieldName>(omit);
  const keeps = { raw: !omitted.has('raw'), visitor: !omitted.has('visitor'), bot: !omitted.has('bot') };
  const spans = spanFields(omitted);
  const nodePiece = pieceOf(!omitted.has('node') && node !== '' ? `","node":"${escaped(node)}` : '');
  const cut: LimitedField[] = [];
  let time = Number.NaN;
  let upToId = pieceOf('');
  let upToUri = pieceOf('');
  let out: Buffer = Buffer.alloc(0);
  let to = new DataView(out.buffer, out.byteOffset, 0);
  let from = to;
  let end = 0;
  let weight = 1;
  let weightPiece = pieceOf('');
  return { write, mostBytes };

  function mostBytes(line: Line): number {
    const bytes = line.lineEnd() - line.idAt();
    return FIXED_BYTES + nodePiece.length + bytes * (line.isOdd() ? MOST_WIDENED : MOST_COPIED);
  }

  function write(line: Line, into: Buffer, at: number, { oneIn, bare }: Extent): number {
    if (into !== out) to = new DataView(into.buffer, into.byteOffset, into.length);
    out = into;
    end = at;
    from = line.view();
    if (cut.length > 0) cut.length = 0;
    if (line.time() !== time) beginTime(line.time());
    put(upToId);
    copy(line.idAt(), line.idAt() + KEPT_ID_DIGITS);
    put(upToUri);
    const path = line.odd[PATH] === 0 ? undefined : line.resolvedPath();
    putPath(line, path, URI);
    put(ITEM_KEY);
    if (itemField(line) === PATH) putPath(line, path, ITEM_LIMIT);
    else putBytes(line, ITEM, ITEM_LIMIT);
    if (!bare) putDetails(line, path);
    put(QUOTE);
    const kind = lineKind(line);
    if (kind !== undefined) put(KIND[kind]);
    if (keeps.bot && isBot(line)) put(BOT);
    const views = line.weight() * oneIn;
    if (views > 1) putWeight(views);
    if (cut.length > 0 && !bare) {
      put(CUT);
      putString(JSON.stringify(cut));
    }
    put(CLOSE);
    return end;
  }

  // Lines come in the order of time, many in a millisecond when there are many.
  function beginTime(now: number): void {
    time = now;
    upToId = pieceOf(`{"v":1,"id":"${now.toString(16).padStart(ID_TIME_DIGITS, '0')}`);
    upToUri = pieceOf(`","time":${now},"uri":"`);
  }

  // It is the same for all lines while the switch and the spool stay as they are.
  function putWeight(views: number): void {
    if (views !== weight) weightPiece = pieceOf(`,"weight":${views}`);
    weight = views;
    put(weightPiece);
  }

  /** All but what a count needs. */
  function putDetails(line: Line, path: string | undefined): void {
    putAddress(line);
    if (keeps.raw && path !== undefined) putRaw(line, path);
    for (const field of spans) putSpan(line, field);
    put(nodePiece);
    if (keeps.visitor && line.begin[VISITOR] !== line.end[VISITOR]) {
      put(VISITOR_KEY);
      putAscii(hashVisitor(bytesOf(line, VISITOR), time));
    }
  }

  function putAddress(line: Line): void {
    const at = line.begin[IP] ?? 0;
    if (at === line.end[IP] || address.isDropped) return;
    const until = address.spanUntil(line);
    if (until !== -1) {
      put(IP_KEY);
      copy(at, until);
      if (address.isCut) put(line.odd[IP] === 0 ? ZERO_OCTET : ZERO_GROUPS);
      return;
    }
    put(IP_KEY);
    putAscii(address.textOf(line));
  }

  /** Nothing where the field is empty. */
  function putSpan(line: Line, field: SpanField): void {
    const at = line.begin[field.span] ?? 0;
    const until = line.end[field.span] ?? 0;
    if (at === until) return;
    if (line.odd[field.span] !== 0 || until - at > field.limit) putOddSpan(line, field);
    else {
      put(field.key);
      copy(at, until);
    }
  }

  // A function of its own, as all that is rarely called, so that those above are small enough for V8 to inline.
  function putOddSpan(line: Line, { name, key, span }: SpanField): void {
    const text = span === UA ? agentText(line) : toText(bytesOf(line, span));
    if (text === '') return;
    put(key);
    putText(name, text);
  }

  function putPath(line: Line, path: string | undefined, limit: Limit): void {
    if (path === undefined) putBytes(line, PATH, limit);
    else putText(limit.name, path);
  }

  function putBytes(line: Line, span: number, limit: Limit): void {
    const at = line.begin[span] ?? 0;
    const until = line.end[span] ?? 0;
    if (line.odd[span] === 0 && until - at <= limit.limit) copy(at, until);
    else putText(limit.name, toText(bytesOf(line, span)));
  }

  /** The path as it was asked for, where nginx resolves it to another. */
  function putRaw(line: Line, path: string): void {
    const asked = bytesOf(line, PATH);
    if (asked === path || asked === '') return;
    put(RAW_KEY);
    putText('raw', percentEncoded(asked));
  }

  function putText(name: LimitedField, text: string): void {
    const kept = cutText(name, text);
    if (kept.length < text.length) cut.push(name);
    putString(escaped(kept));
  }

  function putString(text: string): void {
    end += out.write(text, end);
  }

  /** The same for a short text of ASCII. */
  function putAscii(text: string): void {
    const view = to;
    for (let i = 0; i < text.length; i++) view.setUint8(end + i, text.charCodeAt(i));
    end += text.length;
  }

  // Eight bytes at a time: one at a time takes half as long again for a whole event, and a call of `Buffer.copy` costs more than
  // the bytes of a field. What a loop uses is local to it: a variable of the closure would be fetched for each word.
  function put({ words, length }: Piece): void {
    const view = to;
    let at = end;
    for (let i = 0; i < words.length; i++, at += WORD_BYTES) view.setFloat64(at, words[i] ?? 0, true);
    end += length;
  }

  /** Bytes `first` to `until` of the lines. Goes up to seven bytes past the last, where room is kept for them. */
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

function bytesOf({ lines, begin, end }: Line, span: number): string {
  return lines().toString('latin1', begin[span], end[span]);
}
