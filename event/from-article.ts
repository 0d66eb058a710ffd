import { isIP } from 'node:net';
import type { HotItemEvent } from './event.ts';
import { FIELDS } from './fields.ts';
import { unmapped } from './ipv4-mapped.ts';
import { EventError, isTime } from './parse.ts';
import { toInstant } from './wall-clock.ts';

/** What the article's Lua script sends: a path, an address from a header, a token that is always the same, and a time. */
export type ArticleMessage = { uri: unknown; ip?: unknown; token?: unknown; actime?: unknown };

export type ArticleRecord = {
  /** `topic-partition-offset`: the message has no id of its own, and its place in the topic never changes. */
  place: string;
  /** When Kafka had the record, ms since 1970; undefined where it does not say. */
  time: number | undefined;
  /** Where the clock hung that `actime` was read from: an IANA name. */
  timeZone: string;
};

/** The same as in nginx/items.conf, so that an item is the same from both sources. */
const ITEM = /^(?:\/web)?\/item\/([\w.-]+?)(?:\.html)?$/;
/** `%Y-%M-%d %H:%m:%S`: the minute is where the month belongs, and the month where the minute does. */
const SWAPPED = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})$/;

/** Of a date and a time. */
const MOST_DIGITS = 14;

/** Whether this is a message in the article's format. What has a version is ours, whatever else it holds. */
export function isArticle(value: unknown): value is ArticleMessage {
  return (
    typeof value === 'object' && value !== null && 'uri' in value && 'actime' in value && !('v' in value)
  );
}

/**
 * The event of a message in the article's format. Its time is the record's, which is correct; `actime` is
 * asked only where the record has none that can be. The token is not taken over, and an address only where it is one: it
 * came from a header that any client can send. Throws an `EventError` if it is not a view.
 *
 * Its id is the place of the record and its time: a topic that was deleted and made again has the same places, at other
 * times. Nothing else of the message is in it: from a hash of the whole an address could be found by trying all of them.
 */
export function fromArticle(message: ArticleMessage, { place, time, timeZone }: ArticleRecord): HotItemEvent {
  const { uri, ip, actime } = message;
  if (typeof uri !== 'string' || !uri.startsWith('/')) throw new EventError('uri', 'must be a path', uri);
  const cut: string[] = [];
  const event: HotItemEvent = {
    v: 1,
    id: `${place}-${time ?? digitsOf(actime)}`,
    time: isTime(time) ? time : fromActime(actime, timeZone),
    uri: limit('uri', uri, cut),
    item: limit('item', ITEM.exec(uri)?.[1] ?? uri, cut),
  };
  const address = typeof ip === 'string' ? ip.split(',', 1)[0]?.trim() : undefined;
  if (address !== undefined && isIP(address) !== 0 && !address.includes('%')) event.ip = unmapped(address);
  if (cut.length > 0) event.cut = cut;
  return event;
}

function limit(field: 'uri' | 'item', value: string, cut: string[]): string {
  if (value.length <= FIELDS[field].limit) return value;
  cut.push(field);
  // Half of a surrogate pair is not text: Elasticsearch would reject the document.
  return value.slice(0, FIELDS[field].limit).toWellFormed();
}

/** Not the time that it means: an id must not change with the configured time zone. */
function digitsOf(actime: unknown): string {
  return typeof actime === 'string' ? actime.replace(/\D/g, '').slice(0, MOST_DIGITS) : '';
}

function fromActime(actime: unknown, timeZone: string): number {
  const found = typeof actime === 'string' ? SWAPPED.exec(actime) : null;
  if (found === null) throw new EventError('actime', 'must be a date and a time', actime);
  const [year = 0, minute = 0, day = 0, hour = 0, month = 0, second = 0] = found.slice(1).map(Number);
  const instant = toInstant({ year, month, day, hour, minute, second }, timeZone);
  if (instant === undefined) {
    throw new EventError('actime', 'is not a time after swapping month and minute back', actime);
  }
  return instant;
}
