import type { Kind } from './kind.ts';
import { ARGS, HOST, METHOD, REF, UA } from './line-fields.ts';

/*
 * What an event is made of: one table, in the order in which the fields are written. The type of an event, reading, writing and
 * redacting it, the mapping of its documents, its columns and docs/events.md all follow from this table.
 */

export type Field = {
  /** The type of its values. A `text` with `filled` is never empty. `names`: of fields. */
  type: 'version' | 'text' | 'time' | 'kind' | 'flag' | 'weight' | 'names';
  /** In every event. */
  required?: true;
  filled?: true;
  /** Longest value, in characters. The writer cuts a longer one. */
  limit?: number;
  /** Longest value, in characters, of a field that is not cut. `parseStrict` rejects a longer one, `parse` only in a required field. */
  longest?: number;
  /** `event.omit` may name it. */
  omit?: true;
  /** From the catalogue: a sink adds it when the event is indexed. No event in a spool or a topic has it. */
  joined?: true;
  /** The span of a line that is its value. */
  span?: number;
  /** Its field in a document, with the mapping. */
  ecs?: { path: string; type: 'keyword' | 'date' | 'double' | 'boolean'; ignore_above?: number };
  /** Its column in DuckDB: the type, and the version of the schema that added it. */
  column?: { type: string; since: number };
  /** For docs/events.md. */
  about: string;
};

export const FIELDS = {
  v: { type: 'version', required: true, about: 'version of the format: 1' },
  id: {
    type: 'text',
    required: true,
    filled: true,
    longest: 128,
    ecs: { path: 'event.id', type: 'keyword' },
    column: { type: 'UUID NOT NULL', since: 1 },
    about:
      "12 hex digits of `time` and the first 20 of nginx's `$request_id`: unique, ordered by time; a line that is sent twice has the same id",
  },
  time: {
    type: 'time',
    required: true,
    ecs: { path: '@timestamp', type: 'date' },
    column: { type: 'TIMESTAMP_MS NOT NULL', since: 1 },
    about: 'when nginx received the request, ms since 1970',
  },
  uri: {
    type: 'text',
    required: true,
    filled: true,
    limit: 2048,
    ecs: { path: 'url.path', type: 'keyword', ignore_above: 2048 },
    column: { type: 'VARCHAR NOT NULL', since: 1 },
    about: 'the path: percent-decoded once, dot segments and double slashes resolved as nginx does',
  },
  item: {
    type: 'text',
    required: true,
    filled: true,
    limit: 256,
    ecs: { path: 'hot_item.id', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR NOT NULL', since: 1 },
    about: 'the item; the path if `items.conf` defines no item for it',
  },
  ip: {
    type: 'text',
    filled: true,
    ecs: { path: 'client.address', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 1 },
    about:
      "nginx's `$remote_addr`, masked as `privacy.ip` says. `::ffff:203.0.113.7` is stored as 203.0.113.7",
  },
  raw: {
    type: 'text',
    limit: 4096,
    omit: true,
    column: { type: 'VARCHAR', since: 1 },
    about: 'the path as requested, if it differs from `uri`. Bytes that are not ASCII are percent-encoded',
  },
  args: {
    type: 'text',
    limit: 4096,
    omit: true,
    span: ARGS,
    ecs: { path: 'url.query', type: 'keyword', ignore_above: 4096 },
    column: { type: 'VARCHAR', since: 1 },
    about: 'the query string as requested',
  },
  host: {
    type: 'text',
    limit: 255,
    omit: true,
    span: HOST,
    ecs: { path: 'url.domain', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 1 },
    about: "nginx's `$host`",
  },
  method: {
    type: 'text',
    limit: 32,
    omit: true,
    span: METHOD,
    ecs: { path: 'http.request.method', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 1 },
    about: 'GET, HEAD, …',
  },
  ua: {
    type: 'text',
    limit: 1024,
    omit: true,
    span: UA,
    ecs: { path: 'user_agent.original', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 1 },
    about: 'the user agent',
  },
  ref: {
    type: 'text',
    limit: 2048,
    omit: true,
    span: REF,
    ecs: { path: 'http.request.referrer', type: 'keyword', ignore_above: 2048 },
    column: { type: 'VARCHAR', since: 1 },
    about: 'the referrer',
  },
  node: {
    type: 'text',
    longest: 255,
    omit: true,
    ecs: { path: 'host.name', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 1 },
    about: 'the nginx host that captured it',
  },
  visitor: {
    type: 'text',
    longest: 255,
    omit: true,
    ecs: { path: 'hot_item.visitor', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 3 },
    about:
      'hash of `$hotitem_visitor`, 16 hex digits, different on each UTC day; absent if the shop sets no such key. Documents then have address and user agent in its place',
  },
  kind: {
    type: 'kind',
    ecs: { path: 'hot_item.kind', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 3 },
    about: 'what the request was (`prefetch`, `part`, `head`, `other`, `test`); absent means a view',
  },
  bot: {
    type: 'flag',
    omit: true,
    ecs: { path: 'hot_item.bot', type: 'boolean' },
    column: { type: 'BOOLEAN DEFAULT FALSE', since: 2 },
    about: "whether the user agent is a bot's; absent means no, or not checked",
  },
  weight: {
    type: 'weight',
    ecs: { path: 'hot_item.weight', type: 'double' },
    column: { type: 'DOUBLE NOT NULL', since: 1 },
    about: 'the number of views that the event represents; absent means 1',
  },
  cut: {
    type: 'names',
    ecs: { path: 'hot_item.cut', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR[]', since: 1 },
    about: 'names of the fields that were cut at their limit',
  },
  name: {
    type: 'text',
    longest: 256,
    joined: true,
    ecs: { path: 'hot_item.name', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 5 },
    about: 'name of the item, as the [catalogue](catalogue.md) had it when the event was indexed',
  },
  category: {
    type: 'text',
    longest: 128,
    joined: true,
    ecs: { path: 'hot_item.category', type: 'keyword', ignore_above: 1024 },
    column: { type: 'VARCHAR', since: 5 },
    about: 'its category, likewise',
  },
} as const satisfies Readonly<Record<string, Field>>;

type Fields = typeof FIELDS;
export type FieldName = keyof Fields;

/** The names of the fields that have `Said` in the table. */
export type FieldsWith<Said> = { [Name in FieldName]: Fields[Name] extends Said ? Name : never }[FieldName];

export type ValueOf<Name extends FieldName> = {
  version: 1;
  text: string;
  time: number;
  kind: Kind;
  flag: boolean;
  weight: number;
  names: string[];
}[Fields[Name]['type']];

export type TextField = FieldsWith<{ type: 'text' }>;
export type LimitedField = FieldsWith<{ limit: number }>;
export type Omittable = FieldsWith<{ omit: true }>;

export const FIELD_NAMES = Object.keys(FIELDS).filter(isFieldName);
/** The fields that `event.omit` may name. */
export const OMITTABLE = FIELD_NAMES.filter(isOmittable);

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}

export function isRequired(name: FieldName): boolean {
  return fieldOf(name).required === true;
}

export function isText(name: FieldName): name is TextField {
  return fieldOf(name).type === 'text';
}

/** Whether it is added when the event is indexed; no sidecar writes it. */
export function isJoined(name: FieldName): boolean {
  return fieldOf(name).joined === true;
}

export function isOmittable(name: FieldName): name is Omittable {
  return fieldOf(name).omit === true;
}

export function isLimited(name: FieldName): name is LimitedField {
  return fieldOf(name).limit !== undefined;
}

/** A field with all its options. */
export function fieldOf(name: FieldName): Field {
  return FIELDS[name];
}
