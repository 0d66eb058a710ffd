import type { Range } from '../event-questions.ts';

/*
 * What is counted of the table of events, in SQL.
 */

export const BY_PEOPLE = 'kind IS NULL AND bot IS NOT TRUE';
/** `visitorOf`, for counting distinct visitors: 64 bits of the key, or of address and user agent. */
export const WHO =
  "CASE WHEN visitor IS NOT NULL THEN hash(visitor) WHEN ip IS NOT NULL THEN hash(ip, coalesce(ua, '')) END";
export const KINDS = `
  coalesce(sum(weight) FILTER (${BY_PEOPLE}), 0) AS views,
  coalesce(sum(weight) FILTER (kind IS NULL AND bot IS TRUE), 0) AS bots,
  coalesce(sum(weight) FILTER (kind = 'prefetch'), 0) AS prefetches,
  coalesce(sum(weight), 0) AS total`;
/** Test views count nowhere. */
export const COUNTS = "kind IS DISTINCT FROM 'test'";

/**
 * The events of `ranges` that count, each with an `and` of its own: DuckDB skips the rest of the table for a range, and not for an `or` of
 * ranges.
 */
export function eventsIn(ranges: readonly Range[], and = 'true'): string {
  const where = (range: string) => `SELECT * FROM events WHERE ${range} AND ${COUNTS} AND ${and}`;
  if (ranges.length === 0) return `(${where('false')})`;
  const each = ranges.map(({ from, to }) => where(`time >= ${momentOf(from)} AND time < ${momentOf(to)}`));
  return `(${each.join(' UNION ALL ')})`;
}

function momentOf(ms: number): string {
  return `make_timestamp_ms(${BigInt(Math.trunc(ms))})::TIMESTAMP_MS`;
}
