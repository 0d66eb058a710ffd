import type { DuckDBConnection } from '@duckdb/node-api';
import { type Range, SOURCES, type SourcesQuery } from '../event-questions.ts';
import { BY_PEOPLE, eventsIn, WHO } from './counting.ts';
import { countedWithSketch, SKETCH, SKETCH_COLUMNS, SKETCH_UNION } from './visitor-sketch.ts';

/*
 * What the questions over weeks need of a span of time that is over, computed once from its events: of each week, day and quarter of a day
 * (UTC). A question takes the longest closed spans that are in its range from these tables, and the rest from the events.
 *
 * One invariant: rows of a span are here only if they equal its events. So whatever adds or deletes events deletes the rows of all spans
 * that they are in, in the same transaction (`forget`), and these are computed again later. A span that is not here makes a question
 * slower, never wrong.
 *
 * A span is computed beside the writer, in steps between the questions, in a transaction that does not see what the writer does meanwhile.
 * So it is committed only if the writer left the span alone since before it was chosen (`watch`).
 */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** Lengths in hours. A span consists of whole ones of the length before. */
const [QUARTER, DAY, WEEK] = [6, 24, 168] as const;
const LENGTHS: readonly number[] = [QUARTER, DAY, WEEK];
const QUARTER_MS = QUARTER * HOUR_MS;
/** How long a span is left alone before it is computed, after its end and after a change: late events come in several batches. */
const QUIET_MS = 600_000;

/** What may be counted in parts of a day takes about so many events at a time: more take too long, and too much of the memory of the index. */
const STEP_EVENTS = 500_000;

/** One more whenever the tables, or how they are computed, change: then all spans are computed again. */
const FORMAT = 2;
/** A length, and hours since 1970. */
const SPAN = 'hours INTEGER NOT NULL, begins INTEGER NOT NULL';
const ROWS: Readonly<Record<string, string>> = {
  closed_items: `${SPAN}, item VARCHAR NOT NULL, name VARCHAR, category VARCHAR, views DOUBLE NOT NULL, bots DOUBLE NOT NULL,
    prefetches DOUBLE NOT NULL, total DOUBLE NOT NULL, first TIMESTAMP_MS NOT NULL, last TIMESTAMP_MS NOT NULL, last_view TIMESTAMP_MS,
    ${SKETCH_COLUMNS}`,
  // The others have rows of days only. `time`: the beginning of an hour.
  closed_hours: `${SPAN}, item VARCHAR NOT NULL, time TIMESTAMP_MS NOT NULL, views DOUBLE NOT NULL, total DOUBLE NOT NULL`,
  closed_sources: `${SPAN}, item VARCHAR NOT NULL, kind VARCHAR NOT NULL, source VARCHAR NOT NULL, views DOUBLE NOT NULL`,
  closed_visitors: `${SPAN}, item VARCHAR NOT NULL, visitors UBIGINT[] NOT NULL`,
};
/** `closed_spans` says of which spans there are rows in the others. */
const TABLES: Readonly<Record<string, string>> = { closed_spans: SPAN, ...ROWS };
/** Of format 1. */
const OUTDATED = ['closed_days'];

const SOURCE_COLUMN = { referrer: 'ref', host: 'host', utm_source: 'args' } as const;
/** What `sourcesOf` needs of a text: of a referrer its host, of a query string that parameter. */
const SOURCE: Readonly<Record<SourcesQuery['by'], string>> = {
  referrer:
    "coalesce('http://' || nullif(regexp_extract(source, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#]*@)?([^/?#]+)', 1), ''), source)",
  host: 'source',
  utm_source: "regexp_extract(source, '(?:^|&)(utm_source=[^&]*)', 1)",
};

/** A whole quarter, day or week, in hours since 1970. */
export type Span = { hours: number; begins: number };

/** A range: which closed spans of it are here, and what is left to the events. */
export type Split = { spans: Span[]; open: Range[] };

/** A span to compute, and how many events it has. */
export type Missing = Span & { events: number };

/** The closed spans of an open file, for those who change it. */
export type ClosedSpans = {
  /** Where `events` are that may be in spans here, in quarters of days. */
  among(events: Iterable<{ time: number }>): Range[];
  /** Deletes the spans here in which events change, in the transaction of `writer`. `changed` must follow when that is over, whatever its outcome. */
  forget(writer: DuckDBConnection, ranges: readonly Range[]): Promise<void>;
  changed(ranges: readonly Range[]): void;
  /**
   * Called before `missing`, and the first step. What it returns says behind the last step whether the span may be committed. Both while
   * no change is under way.
   */
  watch(): (span: Span) => boolean;
  /**
   * The latest span that can be computed, begins at `from` (ms) or later, and is not here; undefined if there is none, or no event before
   * its end. A longer one can be computed when those that it consists of are here.
   */
  missing(reader: DuckDBConnection, from: number): Promise<Missing | undefined>;
  /** What computes a span, step by step in one transaction of `builder`. */
  steps(missing: Missing): ((builder: DuckDBConnection) => Promise<unknown>)[];
};

/** Makes the tables. What another version of this program, or of DuckDB with its hashes, left in them is deleted. */
export async function openClosedSpans(writer: DuckDBConnection, now: () => number): Promise<ClosedSpans> {
  await ensureTables(writer);
  /** No span that ends later is here, or is being computed, whatever the clock says. */
  let newest = await newestOf(writer);
  /** When events were last changed, by the beginning of what was changed. */
  const changedAt = new Map<number, number>();
  /** What was changed since the latest `watch`. */
  let watched: Range[] = [];
  return { among, forget, changed, watch, missing, steps: stepsOf };

  function among(events: Iterable<{ time: number }>): Range[] {
    const quarters = new Set<number>();
    for (const { time } of events) if (time < newest) quarters.add(Math.floor(time / QUARTER_MS));
    return [...quarters].map((nth) => ({ from: nth * QUARTER_MS, to: (nth + 1) * QUARTER_MS }));
  }

  async function forget(connection: DuckDBConnection, ranges: readonly Range[]): Promise<void> {
    if (ranges.length === 0) return;
    const touched = ranges.map(
      ({ from, to }) => `begins < ${to / HOUR_MS} AND begins + hours > ${from / HOUR_MS}`,
    );
    const deleted = await spansOf(
      connection,
      `DELETE FROM closed_spans WHERE ${touched.join(' OR ')} RETURNING hours, begins`,
    );
    if (deleted.length === 0) return;
    for (const table of Object.keys(ROWS))
      await connection.run(`DELETE FROM ${table} WHERE ${rowsOf(deleted).join(' OR ')}`);
  }

  function changed(ranges: readonly Range[]): void {
    for (const range of ranges) {
      changedAt.set(range.from, now());
      watched.push(range);
    }
  }

  function watch(): (span: Span) => boolean {
    newest = Math.max(newest, Math.floor((now() - QUIET_MS) / QUARTER_MS) * QUARTER_MS);
    const seen: Range[] = [];
    watched = seen;
    return (span) => {
      const { from, to } = rangeOf(span);
      return !seen.some((range) => range.from < to && range.to > from);
    };
  }

  async function missing(reader: DuckDBConnection, from: number): Promise<Missing | undefined> {
    const [oldest] = await numbers(reader, 'SELECT epoch_ms(min(time)) FROM events HAVING count(*) > 0');
    if (oldest === undefined) return undefined;
    const here = new Set((await spansOf(reader, 'SELECT hours, begins FROM closed_spans')).map(keyOf));
    const end = Math.min(newest, now() - QUIET_MS);
    const first = Math.max(from / HOUR_MS, Math.floor(oldest / HOUR_MS / WEEK) * WEEK);
    for (let begins = (Math.floor(end / QUARTER_MS) - 1) * QUARTER; begins >= first; begins -= QUARTER) {
      for (const hours of LENGTHS) {
        const span = { hours, begins };
        if (begins % hours !== 0 || rangeOf(span).to > end) break;
        if (isDone(span)) continue;
        if (!isQuiet(span) || !partsOf(span).every(isDone)) break;
        const [events = 0] = await numbers(reader, `SELECT count(*) FROM ${eventsIn([rangeOf(span)])}`);
        return { ...span, events };
      }
    }
    return undefined;

    function isDone(span: Span): boolean {
      return here.has(keyOf(span)) || rangeOf(span).to <= (oldest ?? 0);
    }
  }

  function isQuiet(span: Span): boolean {
    const { from, to } = rangeOf(span);
    for (let at = from; at < to; at += QUARTER_MS) {
      if (Math.abs(now() - (changedAt.get(at) ?? Number.NEGATIVE_INFINITY)) < QUIET_MS) return false;
    }
    return true;
  }
}

/** When a span begins and ends, ms since 1970. */
export function rangeOf({ hours, begins }: Span): Range {
  return { from: begins * HOUR_MS, to: (begins + hours) * HOUR_MS };
}

/** In the transaction in which the rest of the question is asked: what is committed in between must not be seen. */
export function splitRange(reader: DuckDBConnection, range: Range): Promise<Split> {
  return splitBy(LENGTHS, reader, range);
}

/** Without weeks and quarters, which have items only. */
export function splitByDays(reader: DuckDBConnection, range: Range): Promise<Split> {
  return splitBy([DAY], reader, range);
}

async function splitBy(
  lengths: readonly number[],
  reader: DuckDBConnection,
  { from, to }: Range,
): Promise<Split> {
  const within = await spansOf(
    reader,
    `SELECT hours, begins FROM closed_spans WHERE begins >= ${from / HOUR_MS} AND begins + hours <= ${to / HOUR_MS}
       AND hours IN (${lengths.join(', ')}) ORDER BY hours DESC, begins`,
  );
  const spans: Span[] = [];
  let open: Range[] = from < to ? [{ from, to }] : [];
  for (const span of within) {
    const taken = rangeOf(span);
    if (!open.some((range) => range.from <= taken.from && taken.to <= range.to)) continue;
    spans.push(span);
    open = open.flatMap((range) => without(range, taken));
  }
  return { spans, open };
}

/** What is left of a range that has all of `taken`, or nothing of it. */
function without(range: Range, taken: Range): Range[] {
  if (taken.from >= range.to || taken.to <= range.from) return [range];
  const rest = [
    { from: range.from, to: taken.from },
    { from: taken.to, to: range.to },
  ];
  return rest.filter(({ from, to }) => from < to);
}

/*
 * Relations over a range: rows of closed spans and rows made of the other events. `and` may name an item, and what else is in all of them.
 */

/** Rows with `keys` (of item, name and category), counts, `first`, `last`, `last_view`, and a sketch of visitors. */
export function countsIn({ spans, open }: Split, keys: readonly string[], and = 'true'): string {
  const columns = `${keys.join(', ')}, views, bots, prefetches, total, first, last, last_view, ${SKETCH}`;
  return `(
  ${closed(`${columns} FROM closed_items`, spans, and)}
  UNION ALL ${countedWithSketch(eventsIn(open, and), keys)})`;
}

/** `who` of each view by people of whom something is known; of a closed day not as often as they came. Split by days. */
export function visitorsIn({ spans, open }: Split, and: string): string {
  return `(
  ${closed('unnest(visitors) AS who FROM closed_visitors', spans, and)}
  UNION ALL SELECT who FROM (SELECT ${WHO} AS who FROM ${eventsIn(open, `${BY_PEOPLE} AND ${and}`)}) WHERE who IS NOT NULL)`;
}

/** `time`, `views` and `total`; of closed days by the hour. Split by days. */
export function viewsIn({ spans, open }: Split, and = 'true'): string {
  return `(
  ${closed('time, views, total FROM closed_hours', spans, and)}
  UNION ALL SELECT time, CASE WHEN ${BY_PEOPLE} THEN weight ELSE 0 END, weight FROM ${eventsIn(open, and)})`;
}

/** `source` and `views`. Split by days. */
export function sourcesIn({ spans, open }: Split, by: SourcesQuery['by'], and: string): string {
  return `(
  ${closed('source, views FROM closed_sources', spans, `kind = '${by}' AND ${and}`)}
  UNION ALL SELECT coalesce(${SOURCE_COLUMN[by]}, ''), weight FROM ${eventsIn(open, `${BY_PEOPLE} AND ${and}`)})`;
}

function closed(columnsAndTable: string, spans: readonly Span[], and: string): string {
  const each = rowsOf(spans).map((rows) => `SELECT ${columnsAndTable} WHERE ${rows} AND ${and}`);
  return each.join(' UNION ALL ');
}

/** A condition for each length, of which there is one at least. Neighbors together: DuckDB skips the rest of a table for a range. */
function rowsOf(spans: readonly Span[]): string[] {
  const each = LENGTHS.flatMap((hours) => {
    const ranges: string[] = [];
    const begins = spans.filter((span) => span.hours === hours).map((span) => span.begins);
    let first = begins[0];
    begins.forEach((at, nth) => {
      if (begins[nth + 1] === at + hours) return;
      ranges.push(`begins BETWEEN ${first} AND ${at}`);
      first = begins[nth + 1];
    });
    return ranges.length === 0 ? [] : [`hours = ${hours} AND (${ranges.join(' OR ')})`];
  });
  return each.length === 0 ? ['false'] : each;
}

function keyOf({ hours, begins }: Span): string {
  return `${hours} ${begins}`;
}

/** The spans of the length before of which a span consists; a quarter is made of events. */
function partsOf({ hours, begins }: Span): Span[] {
  const part = LENGTHS[LENGTHS.indexOf(hours) - 1];
  if (part === undefined) return [];
  return Array.from({ length: hours / part }, (_, nth) => ({ hours: part, begins: begins + nth * part }));
}

function stepsOf({ events, ...span }: Missing): ((builder: DuckDBConnection) => Promise<unknown>)[] {
  const inserts = [span.hours === QUARTER ? countItems(span) : mergeItems(span)];
  if (span.hours === DAY) {
    const { from, to } = rangeOf(span);
    const step = Math.ceil(DAY / Math.max(1, Math.ceil(events / STEP_EVENTS))) * HOUR_MS;
    for (let at = from; at < to; at += step)
      inserts.push(...countRest(span, eventsIn([{ from: at, to: Math.min(to, at + step) }])));
  }
  return ['BEGIN', ...inserts, `INSERT INTO closed_spans VALUES (${valuesOf(span)})`].map(
    (sql) => (builder) => builder.run(sql),
  );
}

/** Sorted, as all of them, because equal values beside each other take less room. */
function countItems(span: Span): string {
  const keys = ['item', 'name', 'category'];
  return `INSERT INTO closed_items SELECT ${valuesOf(span)}, ${keys.join(', ')}, * EXCLUDE (${keys.join(', ')})
    FROM (${countedWithSketch(eventsIn([rangeOf(span)]), keys)}) ORDER BY total DESC`;
}

function mergeItems(span: Span): string {
  return `INSERT INTO closed_items
    SELECT ${valuesOf(span)}, item, name, category, sum(views), sum(bots), sum(prefetches), sum(total) AS total, min(first), max(last),
      max(last_view), ${SKETCH_UNION}
    FROM (${closed('* FROM closed_items', partsOf(span), 'true')}) GROUP BY item, name, category ORDER BY total DESC`;
}

/** What may be counted in parts of a day: an item has a row for each. */
function countRest(day: Span, events: string): string[] {
  const bySource = SOURCES.map(
    (by) => `INSERT INTO closed_sources
      SELECT ${valuesOf(day)}, item, '${by}', ${SOURCE[by]} AS shown, sum(views) FROM (
        SELECT item, coalesce(${SOURCE_COLUMN[by]}, '') AS source, sum(weight) AS views
        FROM ${events} WHERE ${BY_PEOPLE} GROUP BY item, source
      ) GROUP BY item, shown ORDER BY item`,
  );
  return [
    `INSERT INTO closed_hours
     SELECT ${valuesOf(day)}, item, date_trunc('hour', time) AS hour, coalesce(sum(weight) FILTER (${BY_PEOPLE}), 0), sum(weight)
     FROM ${events} GROUP BY item, hour ORDER BY item, hour`,
    ...bySource,
    `INSERT INTO closed_visitors
     SELECT ${valuesOf(day)}, item, list(who) FROM (
       SELECT DISTINCT item, ${WHO} AS who FROM ${events} WHERE ${BY_PEOPLE}
     ) WHERE who IS NOT NULL GROUP BY item ORDER BY item`,
  ];
}

function valuesOf({ hours, begins }: Span): string {
  return `${hours}, ${begins}`;
}

async function ensureTables(writer: DuckDBConnection): Promise<void> {
  await writer.run('CREATE TABLE IF NOT EXISTS closed_format (format VARCHAR NOT NULL)');
  const found = await writer.runAndReadAll(
    'SELECT format, version() FROM closed_format RIGHT JOIN (SELECT 1) ON true',
  );
  const [format, version] = found.getRows()[0] ?? [];
  const ours = `${FORMAT}, DuckDB ${version}`;
  if (format === ours) return;
  const drops = [...OUTDATED, ...Object.keys(TABLES)].map((name) => `DROP TABLE IF EXISTS ${name};`);
  const creates = Object.entries(TABLES).map(([name, columns]) => `CREATE TABLE ${name} (${columns});`);
  await writer.run(
    `BEGIN; ${drops.join(' ')} ${creates.join(' ')} DELETE FROM closed_format; INSERT INTO closed_format VALUES ('${ours}'); COMMIT;`,
  );
}

async function newestOf(writer: DuckDBConnection): Promise<number> {
  const [end] = await numbers(writer, 'SELECT max(begins + hours) FROM closed_spans HAVING count(*) > 0');
  return end === undefined ? Number.NEGATIVE_INFINITY : end * HOUR_MS;
}

async function spansOf(connection: DuckDBConnection, sql: string): Promise<Span[]> {
  const found = await connection.runAndReadAll(sql);
  return found.getRows().map(([hours, begins]) => ({ hours: Number(hours), begins: Number(begins) }));
}

async function numbers(connection: DuckDBConnection, sql: string): Promise<number[]> {
  const found = await connection.runAndReadAll(sql);
  return found.getRows().map(([value]) => Number(value));
}
