import { hasOdd, IS_PLAIN } from './line-bytes.ts';

/*
 * An event as the sidecar writes it, its fields found once, as spans of bytes: JSON in one level, without spaces. What looks otherwise may
 * be an event all the same, and is for `parse`.
 */

export const ID = 0;
export const TIME = 1;
export const ITEM = 2;
export const ADDRESS = 3;
export const AGENT = 4;
export const NODE = 5;
export const VISITOR = 6;
export const KIND = 7;
export const BOT = 8;
export const WEIGHT = 9;
export const URI = 10;
const OTHER = 11;
const FIELDS = 12;

export type EventFields = {
  /** Finds the fields of the event in bytes `at` to `until`. False: it does not look as the sidecar writes most of them. */
  read(bytes: Buffer, at: number, until: number): boolean;
  /** Spans of the values, of texts without their quotes; both 0 for a field that is not there. */
  readonly begin: Int32Array;
  readonly end: Int32Array;
};

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LOWEST_ASCII = 0x20;

const NAMES = ['id', 'time', 'item', 'ip', 'ua', 'node', 'visitor', 'kind', 'bot', 'weight', 'uri'].map(
  (name) => Buffer.from(name),
);
const IS_TEXT = [true, false, true, true, true, true, true, true, false, false, true];
const FIELD_OF = new Map(NAMES.map((name, field) => [codeOf(name, 0, name.length), field]));
const VERSION = 'v'.charCodeAt(0);
const ONE = '1'.charCodeAt(0);

export function createEventFields(): EventFields {
  const begin = new Int32Array(FIELDS);
  const end = new Int32Array(FIELDS);
  let from: Buffer = Buffer.alloc(0);
  let view = new DataView(from.buffer, from.byteOffset, 0);
  return { read, begin, end };

  function read(bytes: Buffer, at: number, until: number): boolean {
    if (bytes !== from) view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    from = bytes;
    begin.fill(0);
    end.fill(0);
    if (bytes[at] !== OPEN) return false;
    let isOurs = false;
    for (let i = at + 1; i < until; ) {
      if (bytes[i] !== QUOTE) return false;
      const name = i + 1;
      const nameEnd = textEnd(name, until);
      if (nameEnd === -1 || bytes[nameEnd + 1] !== COLON) return false;
      const field = fieldOf(bytes, name, nameEnd);
      const value = nameEnd + 2;
      const isText = bytes[value] === QUOTE;
      const first = isText ? value + 1 : value;
      const last = isText ? textEnd(first, until) : otherEnd(first, until);
      if (last === -1) return false;
      if (bytes[name] === VERSION && nameEnd === name + 1)
        isOurs = !isText && bytes[first] === ONE && last === first + 1;
      else if (isText !== (IS_TEXT[field] ?? true)) return false;
      // None is ever written.
      if (first === last) return false;
      begin[field] = first;
      end[field] = last;
      const next = isText ? last + 1 : last;
      if (bytes[next] === CLOSE) return isOurs && next + 1 === until;
      if (bytes[next] !== COMMA) return false;
      i = next + 1;
    }
    return false;
  }

  /** Where a text ends that needs no escapes; -1 for another. */
  function textEnd(at: number, until: number): number {
    const bytes = from;
    const words = view;
    let i = at;
    for (;;) {
      for (const last = until - 4; i <= last; i += 4) if (hasOdd(words.getInt32(i, true))) break;
      while (i < until && IS_PLAIN[bytes[i] ?? 0] === 1) i++;
      const byte = bytes[i] ?? 0;
      if (i >= until || byte === BACKSLASH || byte < LOWEST_ASCII) return -1;
      if (byte === QUOTE) return i;
      i++;
    }
  }

  function otherEnd(at: number, until: number): number {
    const bytes = from;
    if (bytes[at] === OPEN_LIST || bytes[at] === OPEN) return -1;
    let i = at;
    while (i < until && bytes[i] !== COMMA && bytes[i] !== CLOSE) i++;
    return i === until || i === at ? -1 : i;
  }
}

function fieldOf(bytes: Buffer, at: number, until: number): number {
  const field = FIELD_OF.get(codeOf(bytes, at, until)) ?? OTHER;
  const name = NAMES[field];
  if (name === undefined || name.length !== until - at) return OTHER;
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return OTHER;
  return field;
}

/** A small integer, so that a map of them is fast. */
function codeOf(bytes: Buffer, at: number, until: number): number {
  let code = until - at;
  for (let i = at; i < until; i++) code = (Math.imul(code, 31) + (bytes[i] ?? 0)) & 0x3fffffff;
  return code;
}
