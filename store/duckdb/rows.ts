import { createHash } from 'node:crypto';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBTimestampMillisecondsValue,
  DuckDBUUIDValue,
  LIST,
  listValue,
  UUID,
  VARCHAR,
} from '@duckdb/node-api';
import type { HotItemEvent } from '../../event/event.ts';

const OWN_ID = /^[0-9a-f]{32}$/;
const CUT = LIST(VARCHAR);

/**
 * The 128 bits that an event is found by. An id as we make them is its own; a longer or different one, which only
 * another writer to the topic can send, is hashed and kept beside it.
 */
export function keyOf(id: string): bigint {
  const digits = OWN_ID.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 32);
  return BigInt(`0x${digits}`);
}

/** Which of `keys` are among the events already. */
export async function findKeys(connection: DuckDBConnection, keys: bigint[]): Promise<Set<bigint>> {
  const values = keys.map((key) => DuckDBUUIDValue.fromUint128(key));
  const found = await connection.runAndReadAll(
    'SELECT id FROM events WHERE id IN (SELECT unnest($1))',
    [listValue(values)],
    [LIST(UUID)],
  );
  return new Set(found.getColumns()[0]?.map((id) => (id instanceof DuckDBUUIDValue ? id.toUint128() : 0n)));
}

/** How many events have each of `keys`, in their order. */
export async function countKeys(connection: DuckDBConnection, keys: bigint[]): Promise<number[]> {
  const values = keys.map((key) => DuckDBUUIDValue.fromUint128(key));
  const found = await connection.runAndReadAll(
    'SELECT id, count(*) FROM events WHERE id IN (SELECT unnest($1)) GROUP BY id',
    [listValue(values)],
    [LIST(UUID)],
  );
  const counts = new Map(
    found
      .getRows()
      .map(([id, count]) => [id instanceof DuckDBUUIDValue ? id.toUint128() : 0n, Number(count)]),
  );
  return keys.map((key) => counts.get(key) ?? 0);
}

/** Adds events within the connection's transaction. */
export async function appendEvents(
  connection: DuckDBConnection,
  events: Map<bigint, HotItemEvent>,
): Promise<void> {
  const appender = await connection.createAppender('events');
  try {
    for (const [key, event] of events) appendEvent(appender, key, event);
  } finally {
    appender.closeSync();
  }
}

/** In the order of the table's columns. */
function appendEvent(appender: DuckDBAppender, key: bigint, event: HotItemEvent): void {
  appender.appendUUID(DuckDBUUIDValue.fromUint128(key));
  appendText(OWN_ID.test(event.id) ? undefined : event.id);
  appender.appendTimestampMilliseconds(toTimestamp(event.time));
  appender.appendVarchar(event.uri);
  appendText(event.raw);
  appendText(event.args);
  appender.appendVarchar(event.item);
  appendText(event.ip);
  appendText(event.host);
  appendText(event.method);
  appendText(event.ua);
  appendText(event.ref);
  appendText(event.node);
  appender.appendDouble(event.weight ?? 1);
  if (event.cut === undefined) appender.appendNull();
  else appender.appendList(event.cut, CUT);
  appender.appendBoolean(event.bot ?? false);
  appendText(event.visitor);
  appendText(event.kind);
  appender.endRow();

  function appendText(text: string | undefined): void {
    if (text === undefined) appender.appendNull();
    else appender.appendVarchar(text);
  }
}

export function toTimestamp(ms: number): DuckDBTimestampMillisecondsValue {
  return new DuckDBTimestampMillisecondsValue(BigInt(Math.trunc(ms)));
}
