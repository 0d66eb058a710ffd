import type { HotItemEvent } from './event.ts';
import { FIELD_NAMES, type Field, type FieldName, fieldOf, isJoined } from './fields.ts';
import { isKind, KINDS } from './kind.ts';

/** A text without escapes: what stands between the quotes is the text. */
const CHARACTER = '[^"\\\\\\x00-\\x1f]';
const VALUES: Record<Field['type'], string> = {
  version: '1',
  text: `"(${CHARACTER}*)"`,
  time: '(0|[1-9]\\d{0,13})',
  kind: `"(${KINDS.join('|')})"`,
  flag: '(true|false)',
  weight: '([1-9]\\d{0,5})',
  names: '',
};
const ID = '"([\\w.-]{1,128})"';
/** The fields in the order in which the sidecar writes them; `cut` and what it does not write are for `parse`. */
const PLAIN = new RegExp(
  `^{${FIELD_NAMES.filter((name) => name !== 'cut' && !isJoined(name))
    .map(patternOf)
    .join('')}}$`,
);

/** An event whose texts need no escapes in JSON. Its other fields are set later. */
class PlainEvent {
  v = 1 as const;
  id: string;
  time: number;
  uri: string;
  item: string;

  constructor(id: string, time: number, uri: string, item: string) {
    this.id = id;
    this.time = time;
    this.uri = uri;
    this.item = item;
  }
}

/** Whether `parsePlain` returned this object: each string needs no escapes in JSON. A copy does not count. */
export function isPlain(event: HotItemEvent): boolean {
  return event instanceof PlainEvent;
}

/**
 * What `parse` returns for a JSON text that looks as the sidecar writes most of them, in a quarter of the time; undefined
 * for any other, which may be an event all the same.
 */
export function parsePlain(json: string): HotItemEvent | undefined {
  const found = PLAIN.exec(json);
  if (found === null) return undefined;
  const [
    ,
    id = '',
    time,
    uri = '',
    item = '',
    ip,
    raw,
    args,
    host,
    method,
    ua,
    ref,
    node,
    visitor,
    kind,
    bot,
    weight,
  ] = found;
  const event: HotItemEvent = new PlainEvent(id, Number(time), uri, item);
  if (ip !== undefined) event.ip = ip;
  if (raw !== undefined) event.raw = raw;
  if (args !== undefined) event.args = args;
  if (host !== undefined) event.host = host;
  if (method !== undefined) event.method = method;
  if (ua !== undefined) event.ua = ua;
  if (ref !== undefined) event.ref = ref;
  if (node !== undefined) event.node = node;
  if (visitor !== undefined) event.visitor = visitor;
  if (isKind(kind)) event.kind = kind;
  if (bot !== undefined) event.bot = bot === 'true';
  if (weight !== undefined) event.weight = Number(weight);
  return event;
}

function patternOf(name: FieldName): string {
  const { type, filled, required } = fieldOf(name);
  const value = name === 'id' ? ID : type === 'text' && filled ? `"(${CHARACTER}+)"` : VALUES[type];
  const first = name === FIELD_NAMES[0];
  return required ? `${first ? '' : ','}"${name}":${value}` : `(?:,"${name}":${value})?`;
}
