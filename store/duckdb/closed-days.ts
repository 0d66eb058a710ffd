import type { DuckDBConnection } from '@duckdb/node-api';
import { type Range, SOURCES, type SourcesQuery } from '../event-questions.ts';
import { BY_PEOPLE, eventsIn, WHO } from './counting.ts';
import { countedWithSketch, SKETCH, SKETCH_COLUMNS } from './visitor-sketch.ts';

/*
 * What the questions over weeks need of a UTC day that is over, computed once from its events. A question takes the closed days of its
 * range from these tables, and the rest from the events.
 *
 * One invariant: rows of a day are here only if they equal its events. So whatever adds or deletes events of a day deletes its rows in the
 * same transaction (`forget`), and the day is computed again later. A day that is not here makes a question slower, never wrong.
 *
 * A day is computed beside the writer, in steps between the questions, in a transaction that does not see what the writer does meanwhile.
 * So it is committed only if the writer left the day alone since before that transaction began.
 */

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** How long a day is over before it is computed: its last events may come a little late. */
const SETTLED_MS = HOUR_MS;
/** How long it is left alone after a change: late events come in several batches. */
const QUIET_MS = 600_000;

/** What may be counted in parts of a day takes about so many events at a time: more take too long, and too much of the memory of the index. */
const STEP_EVENTS = 500_000;

/** One more whenever the tables, or how they are computed, change: then all days are computed again. */
const FORMAT = 1;
const ROWS: Readonly<Record<string, string>> = {
  closed_items: `day INTEGER NOT NULL, item VARCHAR NOT NULL, name VARCHAR, category VARCHAR, views DOUBLE NOT NULL, bots DOUBLE NOT NULL,
    prefetches DOUBLE NOT NULL, total DOUBLE NOT NULL, first TIMESTAMP_MS NOT NULL, last TIMESTAMP_MS NOT NULL, last_view TIMESTAMP_MS,
    ${SKETCH_COLUMNS}`,
  // `time`: the beginning of an hour.
  closed_hours:
    'day INTEGER NOT NULL, item VARCHAR NOT NULL, time TIMESTAMP_MS NOT NULL, views DOUBLE NOT NULL, total DOUBLE NOT NULL',
  closed_sources:
    'day INTEGER NOT NULL, item VARCHAR NOT NULL, kind VARCHAR NOT NULL, source VARCHAR NOT NULL, views DOUBLE NOT NULL',
  closed_visitors: 'day INTEGER NOT NULL, item VARCHAR NOT NULL, visitors UBIGINT[] NOT NULL',
};

/** `closed_days` says of which days there are rows in the others. */
const TABLES: Readonly<Record<string, string>> = { closed_days: 'day INTEGER NOT NULL', ...ROWS };

const SOURCE_COLUMN = { referrer: 'ref', host: 'host', utm_source: 'args' } as const;
/** What `sourcesOf` needs of a text: of a referrer its host, of a query string that parameter. */
const SOURCE: Readonly<Record<SourcesQuery['by'], string>> = {
  referrer:
    "coalesce('http://' || nullif(regexp_extract(source, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#]*@)?([^/?#]+)', 1), ''), source)",
  host: 'source',
  utm_source: "regexp_extract(source, '(?:^|&)(utm_source=[^&]*)', 1)",
};

/** A range: which closed days of it are here, in days since 1970, and what is left to the events. */
export type Split = { days: number[]; open: Range[] };

/** A day to compute, and how many events it has. */
export type Missing = { day: number; events: number };

/** The closed days of an open file, for those who change it. */
export type ClosedDays = {
  /** Which days of `events` may be here. */
  among(events: Iterable<{ time: number }>): Set<number>;
  /** Deletes what is here of `days`, in the transaction of `writer`. `changed` must follow when that is over, whatever its outcome. */
  forget(writer: DuckDBConnection, days: Set<number>): Promise<void>;
  changed(days: Set<number>): void;
  /** Which days that begin before `time` are here, or are being computed. */
  before(writer: DuckDBConnection, time: number): Promise<Set<number>>;
  /** The latest day that is over, begins at `from` or later, and is not here; undefined if there is none, or no event before it. */
  missing(reader: DuckDBConnection, from: number): Promise<Missing | undefined>;
  /** What computes a day, step by step in one transaction of `builder`. */
  steps(missing: Missing): ((builder: DuckDBConnection) => Promise<unknown>)[];
  /** Called before the first step. What it returns says behind the last one whether they may be committed. Both while no change is under way. */
  guard(day: number): () => boolean;
};

/** Makes the tables. What another version of this program, or of DuckDB with its hashes, left in them is deleted. */
export async function openClosedDays(writer: DuckDBConnection, now: () => number): Promise<ClosedDays> {
  await ensureTables(writer);
  /** No day after it is here, whatever the clock says. */
  let newest = await newestOf(writer);
  /** The day that is being computed, or was the last. */
  let computed = Number.POSITIVE_INFINITY;
  const changedAt = new Map<number, { at: number }>();
  return { among, forget, changed, before, missing, steps: stepsOf, guard };

  function among(events: Iterable<{ time: number }>): Set<number> {
    const end = (newest + 1) * DAY_MS;
    const days = new Set<number>();
    for (const { time } of events) if (time < end) days.add(Math.floor(time / DAY_MS));
    return days;
  }

  async function forget(connection: DuckDBConnection, days: Set<number>): Promise<void> {
    if (days.size === 0) return;
    const which = `day IN (${[...days].join(', ')})`;
    const { rowsChanged } = await connection.run(`DELETE FROM closed_days WHERE ${which}`);
    if (rowsChanged === 0) return;
    for (const table of Object.keys(ROWS)) await connection.run(`DELETE FROM ${table} WHERE ${which}`);
  }

  function changed(days: Set<number>): void {
    for (const day of days) changedAt.set(day, { at: now() });
  }

  async function before(connection: DuckDBConnection, time: number): Promise<Set<number>> {
    const here = await numbers(connection, 'SELECT day FROM closed_days');
    return new Set([...here, computed].filter((day) => day * DAY_MS < time));
  }

  async function missing(reader: DuckDBConnection, from: number): Promise<Missing | undefined> {
    const [oldest] = await numbers(reader, 'SELECT epoch_ms(min(time)) FROM events HAVING count(*) > 0');
    if (oldest === undefined) return undefined;
    const first = Math.max(Math.ceil(from / DAY_MS), Math.floor(oldest / DAY_MS));
    const here = new Set(await numbers(reader, `SELECT day FROM closed_days WHERE day >= ${first}`));
    for (let day = Math.floor((now() - SETTLED_MS) / DAY_MS) - 1; day >= first; day--) {
      const at = changedAt.get(day)?.at ?? Number.NEGATIVE_INFINITY;
      if (here.has(day) || Math.abs(now() - at) < QUIET_MS) continue;
      const [events = 0] = await numbers(reader, `SELECT count(*) FROM ${eventsIn([rangeOf(day)])}`);
      return { day, events };
    }
    return undefined;
  }

  function guard(day: number): () => boolean {
    newest = Math.max(newest, day);
    computed = day;
    const last = changedAt.get(day);
    return () => changedAt.get(day) === last;
  }
}

/** In the transaction in which the rest of the question is asked: what is committed in between must not be seen. */
export async function splitRange(reader: DuckDBConnection, { from, to }: Range): Promise<Split> {
  const [first, end] = [Math.ceil(from / DAY_MS), Math.floor(to / DAY_MS)];
  const days =
    first < end
      ? await numbers(
          reader,
          `SELECT day FROM closed_days WHERE day >= ${first} AND day < ${end} ORDER BY day`,
        )
      : [];
  const open: Range[] = [];
  let at = from;
  for (const day of days) {
    if (at < day * DAY_MS) open.push({ from: at, to: day * DAY_MS });
    at = (day + 1) * DAY_MS;
  }
  if (at < to) open.push({ from: at, to });
  return { days, open };
}

/*
 * Relations over a range: rows of closed days and rows made of the other events. `and` may name an item, and what else is in all of them.
 */

/** Rows with `keys` (of item, name and category), counts, `first`, `last`, `last_view`, and a sketch of visitors. */
export function countsIn({ days, open }: Split, keys: readonly string[], and = 'true'): string {
  const columns = `${keys.join(', ')}, views, bots, prefetches, total, first, last, last_view, ${SKETCH}`;
  return `(
  SELECT ${columns} FROM closed_items WHERE ${isIn(days)} AND ${and}
  UNION ALL ${countedWithSketch(eventsIn(open, and), keys)})`;
}

/** `who` of each view by people of whom something is known; of a closed day not as often as they came. */
export function visitorsIn({ days, open }: Split, and: string): string {
  return `(
  SELECT unnest(visitors) AS who FROM closed_visitors WHERE ${isIn(days)} AND ${and}
  UNION ALL SELECT who FROM (SELECT ${WHO} AS who FROM ${eventsIn(open, `${BY_PEOPLE} AND ${and}`)}) WHERE who IS NOT NULL)`;
}

/** `time`, `views` and `total`; of closed days by the hour. */
export function viewsIn({ days, open }: Split, and = 'true'): string {
  return `(
  SELECT time, views, total FROM closed_hours WHERE ${isIn(days)} AND ${and}
  UNION ALL SELECT time, CASE WHEN ${BY_PEOPLE} THEN weight ELSE 0 END, weight FROM ${eventsIn(open, and)})`;
}

/** `source` and `views`. */
export function sourcesIn({ days, open }: Split, by: SourcesQuery['by'], and: string): string {
  return `(
  SELECT source, views FROM closed_sources WHERE ${isIn(days)} AND kind = '${by}' AND ${and}
  UNION ALL SELECT coalesce(${SOURCE_COLUMN[by]}, ''), weight FROM ${eventsIn(open, `${BY_PEOPLE} AND ${and}`)})`;
}

/** Neighbors together: DuckDB skips the rest of a table for a range. */
function isIn(days: readonly number[]): string {
  const ranges: string[] = [];
  let first = days[0];
  days.forEach((day, nth) => {
    if (days[nth + 1] === day + 1) return;
    ranges.push(`day BETWEEN ${first} AND ${day}`);
    first = days[nth + 1];
  });
  return `(${ranges.join(' OR ') || 'false'})`;
}

function stepsOf({ day, events }: Missing): ((builder: DuckDBConnection) => Promise<unknown>)[] {
  const hours = Math.ceil(24 / Math.max(1, Math.ceil(events / STEP_EVENTS)));
  const { from, to } = rangeOf(day);
  const inserts = [countItems(day, eventsIn([{ from, to }]))];
  for (let at = from; at < to; at += hours * HOUR_MS)
    inserts.push(...countRest(day, eventsIn([{ from: at, to: Math.min(to, at + hours * HOUR_MS) }])));
  return ['BEGIN', ...inserts, `INSERT INTO closed_days VALUES (${day})`].map(
    (sql) => (builder) => builder.run(sql),
  );
}

/** Sorted, as all of them, because equal values beside each other take less room. */
function countItems(day: number, events: string): string {
  const keys = ['item', 'name', 'category'];
  return `INSERT INTO closed_items SELECT ${day}, ${keys.join(', ')}, * EXCLUDE (${keys.join(', ')})
    FROM (${countedWithSketch(events, keys)}) ORDER BY total DESC`;
}

/** What may be counted in parts of a day: an item has a row for each. */
function countRest(day: number, events: string): string[] {
  const bySource = SOURCES.map(
    (by) => `INSERT INTO closed_sources
      SELECT ${day}, item, '${by}', ${SOURCE[by]} AS shown, sum(views) FROM (
        SELECT item, coalesce(${SOURCE_COLUMN[by]}, '') AS source, sum(weight) AS views
        FROM ${events} WHERE ${BY_PEOPLE} GROUP BY item, source
      ) GROUP BY item, shown ORDER BY item`,
  );
  return [
    `INSERT INTO closed_hours
     SELECT ${day}, item, date_trunc('hour', time) AS hour, coalesce(sum(weight) FILTER (${BY_PEOPLE}), 0), sum(weight)
     FROM ${events} GROUP BY item, hour ORDER BY item, hour`,
    ...bySource,
    `INSERT INTO closed_visitors
     SELECT ${day}, item, list(who) FROM (
       SELECT DISTINCT item, ${WHO} AS who FROM ${events} WHERE ${BY_PEOPLE}
     ) WHERE who IS NOT NULL GROUP BY item ORDER BY item`,
  ];
}

function rangeOf(day: number): Range {
  return { from: day * DAY_MS, to: (day + 1) * DAY_MS };
}

async function ensureTables(writer: DuckDBConnection): Promise<void> {
  await writer.run('CREATE TABLE IF NOT EXISTS closed_format (format VARCHAR NOT NULL)');
  const found = await writer.runAndReadAll(
    'SELECT format, version() FROM closed_format RIGHT JOIN (SELECT 1) ON true',
  );
  const [format, version] = found.getRows()[0] ?? [];
  const ours = `${FORMAT}, DuckDB ${version}`;
  if (format === ours) return;
  const tables = Object.entries(TABLES).map(
    ([name, columns]) => `DROP TABLE IF EXISTS ${name}; CREATE TABLE ${name} (${columns});`,
  );
  await writer.run(
    `BEGIN; ${tables.join(' ')} DELETE FROM closed_format; INSERT INTO closed_format VALUES ('${ours}'); COMMIT;`,
  );
}

async function newestOf(writer: DuckDBConnection): Promise<number> {
  const [day] = await numbers(writer, 'SELECT max(day) FROM closed_days HAVING count(*) > 0');
  return day ?? Number.NEGATIVE_INFINITY;
}

async function numbers(connection: DuckDBConnection, sql: string): Promise<number[]> {
  const found = await connection.runAndReadAll(sql);
  return found.getRows().map(([value]) => Number(value));
}
