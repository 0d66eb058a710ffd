import { createAddressHash } from './address-hash.ts';
import { isBotAgent } from './bot-test.ts';
import type { HotItemEvent } from './event.ts';
import {
  ADDRESS,
  AGENT,
  BOT,
  createEventFields,
  ID,
  ITEM,
  KIND,
  NODE,
  TIME,
  URI,
  VISITOR,
  WEIGHT,
} from './event-fields.ts';
import { isDigit, ZERO } from './line-bytes.ts';
import { createSpanHash, MOST_HASHED } from './span-hash.ts';
import { createVerdictCache } from './verdict-cache.ts';

/*
 * An event of the past as numbers, for heat: what `HeatView` is for a line. Two events have the same item, or visitor, where their texts
 * are the same. No text is made of an event that looks as the sidecar writes most of them.
 */

export type PastEvent = {
  /**
   * Reads the event in bytes `at` to `until`. `received`: when it came to where it lies, where that is known. Throws what `other` does where
   * there is none.
   */
  read(bytes: Buffer, at: number, until: number, received?: number): void;
  /** Whether it is a view: what was fetched ahead, HEAD, a part or a test is none. */
  isView(): boolean;
  time(): number;
  weight(): number;
  /** A bot, or somebody of whom nothing is known that tells visitors apart: their views are load, and nobody's interest. */
  isNobody(): boolean;
  isBot(): boolean;
  item(word: 0 | 1): number;
  visitor(): number;
  /** Of the event's id. */
  id(word: 0 | 1): number;
  name(): string;
  node(): string;
  /** What `item` is for an item of that name. */
  wordsOf(name: string): [high: number, low: number];
};

/** Reads the event in bytes that do not look like most. Throws where they hold none. */
export type ReadOther = (value: Buffer, received: number | undefined) => HotItemEvent;

const [TRUE, FALSE] = [Buffer.from('true'), Buffer.from('false')];
const TIME_DIGITS = 14;
const WEIGHT_DIGITS = 6;
const LONGEST_ID = 128;

export function createPastEvent(other: ReadOther): PastEvent {
  const fields = createEventFields();
  const { begin, end } = fields;
  const items = createSpanHash();
  const keys = createSpanHash();
  const addresses = createAddressHash();
  const agents = createSpanHash();
  const ids = createSpanHash();
  const verdictOf = createVerdictCache();
  const scratch = Buffer.alloc(MOST_HASHED);
  const words = new Int32Array(6);
  let from: Buffer = Buffer.alloc(0);
  let time = 0;
  let weight = 1;
  let [isBot, isKnown, isView] = [false, false, true];
  /** Where it was read by `other`. */
  let odd: HotItemEvent | undefined;
  return {
    read,
    isView: () => isView,
    time: () => time,
    weight: () => weight,
    isNobody: () => isBot || !isKnown,
    isBot: () => isBot,
    item: (word) => words[word] ?? 0,
    visitor: () => words[2] ?? 0,
    id: (word) => words[3 + word] ?? 0,
    name: () => odd?.item ?? textOf(ITEM),
    node: () => (odd === undefined ? textOf(NODE) : (odd.node ?? '')),
    wordsOf(name) {
      hashText(items, name);
      return [items.bits(0), items.bits(1)];
    },
  };

  function read(bytes: Buffer, at: number, until: number, received?: number): void {
    from = bytes;
    odd = undefined;
    if (!fields.read(bytes, at, until) || !readValues()) {
      odd = other(bytes.subarray(at, until), received);
      readOdd(odd);
      return;
    }
    isView = true;
    hashSpan(items, ITEM);
    hashSpan(ids, ID);
    keep(items.bits(0), items.bits(1), ids.bits(0), ids.bits(1));
    hashSpan(agents, AGENT);
    const hasAgent = has(AGENT);
    isBot =
      isSame(BOT, TRUE) ||
      (hasAgent && verdictOf(agents.bits(0), agents.bits(1), () => isBotAgent(textOf(AGENT))));
    const hasKey = has(VISITOR);
    isKnown = hasKey || has(ADDRESS);
    if (hasKey) {
      hashSpan(keys, VISITOR);
      words[2] = keys.bits(0);
    } else
      words[2] = addresses(from, begin[ADDRESS] ?? 0, end[ADDRESS] ?? 0) ^ (hasAgent ? agents.bits(0) : 0);
  }

  /** False where the event is for `other` to judge. */
  function readValues(): boolean {
    if (!has(ID) || !has(URI) || !has(ITEM) || has(KIND)) return false;
    if ((end[ID] ?? 0) - (begin[ID] ?? 0) > LONGEST_ID) return false;
    if (has(BOT) && !isSame(BOT, TRUE) && !isSame(BOT, FALSE)) return false;
    time = numberIn(TIME, TIME_DIGITS);
    weight = has(WEIGHT) ? numberIn(WEIGHT, WEIGHT_DIGITS) : 1;
    return time >= 0 && weight >= 1;
  }

  function has(field: number): boolean {
    return begin[field] !== end[field];
  }

  function isSame(field: number, text: Buffer): boolean {
    const [first, last] = [begin[field] ?? 0, end[field] ?? 0];
    if (last - first !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (from[first + i] !== text[i]) return false;
    return true;
  }

  function readOdd(event: HotItemEvent): void {
    const { id, item, ip, ua = '', visitor, kind, bot } = event;
    time = event.time;
    weight = Math.round(event.weight ?? 1);
    isView = kind === undefined;
    hashText(items, item);
    hashText(ids, id);
    keep(items.bits(0), items.bits(1), ids.bits(0), ids.bits(1));
    hashText(agents, ua);
    isBot = bot === true || (ua !== '' && isBotAgent(ua));
    isKnown = visitor !== undefined || ip !== undefined;
    if (visitor !== undefined) {
      hashText(keys, visitor);
      words[2] = keys.bits(0);
    } else words[2] = addresses(scratch, 0, scratch.write(ip ?? '')) ^ (ua === '' ? 0 : agents.bits(0));
  }

  function keep(high: number, low: number, idHigh: number, idLow: number): void {
    words[0] = high;
    words[1] = low;
    words[3] = idHigh;
    words[4] = idLow;
  }

  function hashSpan(hash: ReturnType<typeof createSpanHash>, field: number): void {
    hash.hash(from, begin[field] ?? 0, end[field] ?? 0);
  }

  function hashText(hash: ReturnType<typeof createSpanHash>, text: string): void {
    const bytes = Buffer.byteLength(text) <= MOST_HASHED ? scratch : Buffer.from(text);
    const length = bytes === scratch ? scratch.write(text) : bytes.length;
    hash.hash(bytes, 0, length);
  }

  /** NaN for what is no whole number. */
  function numberIn(field: number, most: number): number {
    const bytes = from;
    const first = begin[field] ?? 0;
    const last = end[field] ?? 0;
    if (first === last || last - first > most) return Number.NaN;
    if (bytes[first] === ZERO && last > first + 1) return Number.NaN;
    let value = 0;
    for (let i = first; i < last; i++) {
      if (!isDigit(bytes[i])) return Number.NaN;
      value = value * 10 + (bytes[i] ?? 0) - ZERO;
    }
    return value;
  }

  function textOf(field: number): string {
    return from.toString('utf8', begin[field], end[field]);
  }
}
