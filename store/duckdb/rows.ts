import { createHash } from 'node:crypto';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBUUIDValue,
  LIST,
  listValue,
  UUID,
} from '@duckdb/node-api';
import { giveWay } from '../../service/give-way.ts';
import { appendEvent, isOwnId } from './columns.ts';
import { appendDecision } from './decision-columns.ts';

/** A table whose rows are found by the key of their id. */
export type Table<One> = {
  name: 'events' | 'decisions';
  append(appender: DuckDBAppender, key: bigint, one: One): void;
};

export const EVENTS = { name: 'events', append: appendEvent } as const;
export const DECISIONS = { name: 'decisions', append: appendDecision } as const;

/**
 * The 128 bits by which an event is found. An id that hotitem made is used itself. A longer or different one, which only another writer to
 * the topic can send, is hashed, and stored beside the hash.
 */
export function keyOf(id: string): bigint {
  const digits = isOwnId(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 32);
  return BigInt(`0x${digits}`);
}

/** Which of `keys` are in a table already. */
export async function findKeys(
  connection: DuckDBConnection,
  { name }: Pick<Table<never>, 'name'>,
  keys: bigint[],
): Promise<Set<bigint>> {
  const values = keys.map((key) => DuckDBUUIDValue.fromUint128(key));
  const found = await connection.runAndReadAll(
    `SELECT id FROM ${name} WHERE id IN (SELECT unnest($1))`,
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

/** Adds rows within the connection's transaction, in as many turns of the event loop as that takes. */
export async function appendRows<One>(
  connection: DuckDBConnection,
  { name, append }: Table<One>,
  rows: Map<bigint, One>,
): Promise<void> {
  const appender = await connection.createAppender(name);
  try {
    for (const [key, one] of rows) {
      append(appender, key, one);
      const turn = giveWay();
      if (turn !== undefined) await turn;
    }
  } finally {
    appender.closeSync();
  }
}
