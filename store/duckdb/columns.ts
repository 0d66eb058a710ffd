import {
  type DuckDBAppender,
  DuckDBTimestampMillisecondsValue,
  DuckDBUUIDValue,
  LIST,
  VARCHAR,
} from '@duckdb/node-api';
import type { HotItemEvent } from '../../event/event.ts';
import { FIELD_NAMES, FIELDS, type FieldName, type FieldsWith, fieldOf } from '../../event/fields.ts';

/*
 * The columns of the table of events: one for each field that has one in `FIELDS`, and `other_id` beside `id`. A column that is added to a
 * table becomes its last, so they are in the order of the schema versions that added them.
 */

export type Column = { name: ColumnName; type: string; since: number };
type ColumnName = FieldsWith<{ column: object }> | 'other_id';
type Append = (appender: DuckDBAppender, event: HotItemEvent, key: bigint) => void;

/** The first columns of the table, before the order of the fields applies. */
const FIRST: readonly string[] = ['id', 'other_id', 'time', 'uri', 'raw', 'args', 'item'];
const OWN_ID = /^[0-9a-f]{32}$/;
const NAMES = LIST(VARCHAR);

export const COLUMNS: readonly Column[] = [
  { name: 'other_id' as const, type: 'VARCHAR', since: 1 },
  ...FIELD_NAMES.filter(hasColumn).map(columnOf),
].sort((one, other) => one.since - other.since || placeOf(one) - placeOf(other));

const APPENDS = COLUMNS.map(({ name }) => appendOf(name));

/** Whether an id has our format: 128 bits, which are its key. */
export function isOwnId(id: string): boolean {
  return OWN_ID.test(id);
}

/** Appends an event to the table, with its key. */
export function appendEvent(appender: DuckDBAppender, key: bigint, event: HotItemEvent): void {
  for (const append of APPENDS) append(appender, event, key);
  appender.endRow();
}

export function toTimestamp(ms: number): DuckDBTimestampMillisecondsValue {
  return new DuckDBTimestampMillisecondsValue(BigInt(Math.trunc(ms)));
}

function appendOf(name: ColumnName): Append {
  switch (name) {
    case 'id':
      return (appender, _, key) => appender.appendUUID(DuckDBUUIDValue.fromUint128(key));
    case 'other_id':
      return (appender, { id }) => appendText(appender, isOwnId(id) ? undefined : id);
    case 'time':
      return (appender, { time }) => appender.appendTimestampMilliseconds(toTimestamp(time));
    case 'weight':
      return (appender, { weight = 1 }) => appender.appendDouble(weight);
    case 'bot':
      return (appender, { bot = false }) => appender.appendBoolean(bot);
    case 'cut':
      return (appender, { cut }) =>
        cut === undefined ? appender.appendNull() : appender.appendList(cut, NAMES);
    default:
      return (appender, event) => appendText(appender, event[name]);
  }
}

function appendText(appender: DuckDBAppender, text: string | undefined): void {
  if (text === undefined) appender.appendNull();
  else appender.appendVarchar(text);
}

function hasColumn(name: FieldName): name is FieldsWith<{ column: object }> {
  return fieldOf(name).column !== undefined;
}

function columnOf(name: FieldsWith<{ column: object }>): Column {
  return { name, ...FIELDS[name].column };
}

function placeOf({ name }: Column): number {
  const place = FIRST.indexOf(name);
  return place === -1 ? FIRST.length : place;
}
