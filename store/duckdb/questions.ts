import { type DuckDBConnection, DuckDBListValue, type DuckDBValue, listValue } from '@duckdb/node-api';
import type { HotDecision } from '../../event/decision-fields.ts';
import type {
  CategoriesQuery,
  CategoryViews,
  DecisionsQuery,
  HotPeriod,
  HotPeriodsQuery,
  ItemQuery,
  ItemViews,
  PastDecision,
  PastDecisions,
  Range,
  Ranking,
  RankingQuery,
  Rise,
  RisingQuery,
  Sources,
  SourcesQuery,
  TimeLine,
  TimeLineQuery,
  Totals,
} from '../event-questions.ts';
import { MOST_DECISIONS, periodsOf, REPEATED_MS } from '../hot-periods.ts';
import { withOthers } from '../item-views.ts';
import { CANDIDATES_EACH, firstOf, intervalsOf, risesOf, zeros } from '../rises.ts';
import { MOST_TEXTS, sourcesOf } from '../sources.ts';
import {
  countsIn,
  DAY_MS,
  HOUR_MS,
  sourcesIn,
  splitByDays,
  splitRange,
  viewsIn,
  visitorsIn,
} from './closed-spans.ts';
import { toTimestamp } from './columns.ts';
import { BY_PEOPLE, COUNTS, eventsIn, KINDS, WHO } from './counting.ts';
import { UNION_BITS, visitorsOf } from './visitor-sketch.ts';

const VIEWED = `time >= $1 AND time < $2 AND ${COUNTS}`;

/** Of so many views, visitors are counted exactly: at most twice the time of an estimate, and within the memory of the index. */
export const MOST_EXACT_VIEWS = 1_000_000;
/** Of a day also of more views, where so few items are found: for these alone, without a set for each item of the range. */
const MOST_EXACT_ITEMS = 200;
const LONGEST_EXACT_MS = DAY_MS;
const DISTINCT = `count(DISTINCT CASE WHEN ${BY_PEOPLE} THEN ${WHO} END)`;
const SUMS =
  'coalesce(sum(views), 0), coalesce(sum(bots), 0), coalesce(sum(prefetches), 0), coalesce(sum(total), 0)';
const ESTIMATED = { estimated: true } as const;
const DECIDED = `epoch_ms(time), node, item, change, signal, reason, epoch_ms(since), rule, actions, dry_run,
       views_per_second, visitors`;
const COLUMN: Readonly<Record<Ranking, RankedBy>> = { people: 'views', all: 'total' };

type RankedBy = 'views' | 'total';

export async function topItems(
  reader: DuckDBConnection,
  query: RankingQuery,
  mostExact: number,
): Promise<ItemViews[]> {
  const { from, to, limit, rank = 'people', category, search } = query;
  const ranked = COLUMN[rank];
  const selected = selectedBy(query);
  const values = [limit, ...[category, search].filter((text) => text !== undefined)];
  const events = eventsIn([{ from, to }], selected);
  if (await hasFewViews(reader, { from, to }, mostExact)) return ask(allBy(ranked, events));
  const isOfDay = isShort(query);
  if (isOfDay && limit <= MOST_EXACT_ITEMS) return ask(winnersBy(ranked, events));
  const counts = countsIn(await splitRange(reader, { from, to }), ['item'], selected);
  const found = await ask(
    `SELECT item, ${SUMS}, ${UNION_BITS}, ${lastBy(ranked)} FROM ${counts}
     GROUP BY item HAVING sum(${ranked}) > 0 ORDER BY sum(${ranked}) DESC, item LIMIT $1`,
    toEstimated,
  );
  const isFew = found.length > 0 && found.length <= MOST_EXACT_ITEMS;
  return isOfDay && isFew ? ask(winnersBy(ranked, events)) : found;

  async function ask(
    sql: string,
    toItem: (row: DuckDBValue[]) => ItemViews = toItemViews,
  ): Promise<ItemViews[]> {
    const found = await reader.runAndReadAll(sql, values);
    // Of thousands of rows, ten times as fast as its rows.
    const columns = found.getColumns();
    return Array.from({ length: found.currentRowCount }, (_, nth) =>
      toItem(columns.map((column) => column[nth] ?? null)),
    );
  }
}

export async function itemViews(
  reader: DuckDBConnection,
  { item, from, to }: ItemQuery,
  mostExact: number,
): Promise<ItemViews | undefined> {
  // The events of one item take less time than to find it in quarters too.
  const split = await splitByDays(reader, { from, to });
  const found = await reader.runAndReadAll(
    `SELECT $1, ${SUMS}, ${UNION_BITS}, epoch_ms(max(last))
     FROM ${countsIn(split, ['item'], 'item = $1')} HAVING count(*) > 0`,
    [item],
  );
  const [estimated] = found.getRows().map(toEstimated);
  if (estimated === undefined) return undefined;
  // A view has a weight of 1 at least.
  if (!isShort({ from, to }) && estimated.views > mostExact) return estimated;
  const counted = await reader.runAndReadAll(
    `SELECT count(DISTINCT who) FROM ${visitorsIn(split, 'item = $1')}`,
    [item],
  );
  const { estimated: _, ...exact } = estimated;
  return { ...exact, visitors: Math.min(exact.views, Number(counted.getRows()[0]?.[0])) };
}

export async function totals(reader: DuckDBConnection, range: Range, mostExact: number): Promise<Totals> {
  const isExact = await isCountedExactly(reader, range, mostExact);
  const split = isExact ? { spans: [], open: [range] } : await splitRange(reader, range);
  const found = await reader.runAndReadAll(
    isExact
      ? `SELECT ${KINDS}, ${DISTINCT}, count(DISTINCT hash(item)), epoch_ms(min(time)), epoch_ms(max(time))
         FROM ${eventsIn([range])}`
      : `SELECT ${SUMS}, ${UNION_BITS}, count(DISTINCT item), epoch_ms(min(first)), epoch_ms(max(last))
         FROM ${countsIn(split, ['item'])}`,
  );
  const [views = 0, bots = 0, prefetches = 0, all = 0, visitors = 0, items = 0, first, last] =
    found.getRows()[0] ?? [];
  return {
    ...withOthers({
      views: Number(views),
      bots: Number(bots),
      prefetches: Number(prefetches),
      all: Number(all),
      visitors: isExact ? Number(visitors) : visitorsOf(Number(visitors)),
    }),
    items: Number(items),
    ...(!isExact && ESTIMATED),
    ...(first != null && { first: Number(first) }),
    ...(last != null && { last: Number(last) }),
  };
}

export async function topCategories(
  reader: DuckDBConnection,
  { from, to, limit, rank = 'people' }: CategoriesQuery,
  mostExact: number,
): Promise<CategoryViews[]> {
  const ranked = COLUMN[rank];
  const isExact = await isCountedExactly(reader, { from, to }, mostExact);
  const counted = isExact
    ? `SELECT coalesce(category, '') AS shown, ${KINDS}, ${DISTINCT}, epoch_ms(${lastOf(ranked)})
       FROM ${eventsIn([{ from, to }])} GROUP BY shown HAVING ${ranked} > 0 ORDER BY ${ranked} DESC`
    : `SELECT coalesce(category, '') AS shown, ${SUMS}, ${UNION_BITS}, ${lastBy(ranked)}
       FROM ${countsIn(await splitRange(reader, { from, to }), ['category'])}
       GROUP BY shown HAVING sum(${ranked}) > 0 ORDER BY sum(${ranked}) DESC`;
  const found = await reader.runAndReadAll(`${counted}, shown LIMIT $1`, [limit]);
  return found
    .getRows()
    .map(isExact ? toItemViews : toEstimated)
    .map(({ item: category, ...views }) => ({ category, ...views }));
}

export async function rising(reader: DuckDBConnection, query: RisingQuery): Promise<Rise[]> {
  const { to, windowMs, leastVisitors, limit, stepMs } = query;
  const from = firstOf(query);
  const range = [toTimestamp(from), toTimestamp(to)];
  const counted = await reader.runAndReadAll(
    `WITH viewed AS NOT MATERIALIZED (
       SELECT item, time >= $3 AS is_now, weight, (epoch_ms(time) - $4::BIGINT) // $5::BIGINT AS nth, ${WHO} AS who
       FROM events WHERE ${VIEWED} AND ${BY_PEOPLE}
     ), candidates AS (
       SELECT item, sum(weight) FILTER (is_now) AS views, coalesce(sum(weight) FILTER (NOT is_now), 0) AS before
       FROM viewed GROUP BY item HAVING count(*) FILTER (is_now) >= $6
       ORDER BY views / greatest(1, before) DESC, item LIMIT $7
     )
     SELECT item, count(DISTINCT who) FILTER (is_now), count(DISTINCT (nth, who)) FILTER (NOT is_now AND who IS NOT NULL), views
     FROM candidates JOIN viewed USING (item) GROUP BY item, views`,
    [...range, toTimestamp(to - windowMs), from, windowMs, leastVisitors, limit * CANDIDATES_EACH],
  );
  const rises = risesOf(
    counted.getRows().map(([item, visitors, earlier, views]) => ({
      item: String(item),
      visitors: Number(visitors),
      earlier: Number(earlier),
      views: Number(views),
    })),
    query,
  );
  if (rises.length === 0) return [];
  const names = listValue(rises.map(({ item }) => item));
  const over = await reader.runAndReadAll(
    `SELECT item, ((epoch_ms(time) - $3::BIGINT) // $4::BIGINT)::INTEGER AS step, sum(weight)
     FROM events WHERE ${VIEWED} AND ${BY_PEOPLE} AND item IN (SELECT unnest($5)) GROUP BY item, step`,
    [...range, from, stepMs, names],
  );
  const series = new Map(rises.map(({ item }) => [item, zeros(intervalsOf(query))]));
  for (const [item, step, views] of over.getRows()) {
    const counts = series.get(String(item));
    if (counts !== undefined) counts[Number(step)] = Number(views);
  }
  return rises.map((rise) => ({ ...rise, series: series.get(rise.item) ?? [] }));
}

export async function timeLine(
  reader: DuckDBConnection,
  { item, from, to, stepMs }: TimeLineQuery,
): Promise<TimeLine> {
  // Closed days are by the hour.
  const isByHour = from % HOUR_MS === 0 && stepMs % HOUR_MS === 0;
  const split = isByHour ? await splitByDays(reader, { from, to }) : { spans: [], open: [{ from, to }] };
  const [which, ofItem] = item === undefined ? ['true', []] : ['item = $3', [item]];
  const found = await reader.runAndReadAll(
    `SELECT ((epoch_ms(time) - $1::BIGINT) // $2::BIGINT)::INTEGER AS step, sum(views), sum(total)
     FROM ${viewsIn(split, which)} GROUP BY step`,
    [from, stepMs, ...ofItem],
  );
  const intervals = Math.ceil((to - from) / stepMs);
  const line: TimeLine = { people: zeros(intervals), all: zeros(intervals) };
  for (const [step, people, all] of found.getRows()) {
    line.people[Number(step)] = Number(people);
    line.all[Number(step)] = Number(all);
  }
  return line;
}

export async function sources(reader: DuckDBConnection, query: SourcesQuery): Promise<Sources> {
  const split = await splitByDays(reader, query);
  const found = await reader.runAndReadAll(
    `SELECT source, sum(views) AS viewed, sum(viewed) OVER () FROM ${sourcesIn(split, query.by, 'item = $1')}
     GROUP BY source ORDER BY viewed DESC, source LIMIT $2`,
    [query.item, MOST_TEXTS],
  );
  const rows = found.getRows();
  return sourcesOf(
    rows.map(([source, views]) => [String(source), Number(views)] as const),
    Number(rows[0]?.[2] ?? 0),
    query,
  );
}

export async function hotPeriods(reader: DuckDBConnection, query: HotPeriodsQuery): Promise<HotPeriod[]> {
  const { item, from, to } = query;
  const [which, value] =
    item === undefined ? ['time >= $2', toTimestamp(from - REPEATED_MS)] : ['item = $2', item];
  const found = await reader.runAndReadAll(
    `SELECT ${DECIDED} FROM decisions
     WHERE since < $1 AND change <> 'held' AND ${which} ORDER BY time DESC LIMIT ${MOST_DECISIONS}`,
    [toTimestamp(to), value],
  );
  return periodsOf(found.getRows().map(toDecision), query);
}

export async function pastDecisions(
  reader: DuckDBConnection,
  { from, to, limit }: DecisionsQuery,
): Promise<PastDecisions> {
  const found = await reader.runAndReadAll(
    `SELECT ${DECIDED} FROM decisions WHERE time >= $1 AND time < $2 ORDER BY time DESC LIMIT $3`,
    [toTimestamp(from), toTimestamp(to), limit],
  );
  const decisions = found.getRows().map(toDecision);
  const oldest = decisions.length === limit ? decisions.at(-1)?.time : undefined;
  return { decisions, ...(oldest !== undefined && { oldest }) };
}

export async function newest(reader: DuckDBConnection): Promise<number | undefined> {
  // Not max(time): its filter would have to look at every event, where this stops at the newest row groups.
  const found = await reader.runAndReadAll(
    "SELECT epoch_ms(time) FROM events WHERE kind IS DISTINCT FROM 'test' ORDER BY time DESC LIMIT 1",
  );
  const [time] = found.getRows()[0] ?? [];
  return time == null ? undefined : Number(time);
}

function toItemViews(row: DuckDBValue[]): ItemViews {
  return withVisitors(row, Number(row[5]));
}

/** Rows are as this program wrote them. */
function toDecision(row: DuckDBValue[]): PastDecision {
  const [time, node, item, change, signal, reason, since, rule, actions, dryRun, viewsPerSecond, visitors] =
    row;
  return {
    time: Number(time),
    node: String(node),
    item: String(item),
    change: String(change) as HotDecision['change'],
    signal: String(signal),
    reason: String(reason),
    since: Number(since),
    rule: String(rule),
    actions: actions instanceof DuckDBListValue ? actions.items.map(String) : [],
    dry_run: dryRun === true,
    ...(viewsPerSecond != null && { views_per_second: Number(viewsPerSecond) }),
    ...(visitors != null && { visitors: Number(visitors) }),
  };
}

/** As `toItemViews`, of a row with the bits of a sketch. */
function toEstimated(row: DuckDBValue[]): ItemViews {
  const counted = withVisitors(row, visitorsOf(Number(row[5])));
  counted.estimated = true;
  return counted;
}

/** One object for a row: to copy that of ten thousand takes as long as to read them. */
function withVisitors(
  [item, views, bots, prefetches, all, _, last]: DuckDBValue[],
  visitors: number,
): ItemViews {
  return withOthers({
    item: String(item),
    views: Number(views),
    bots: Number(bots),
    prefetches: Number(prefetches),
    all: Number(all),
    visitors,
    last: Number(last),
  });
}

/** Over a longer range with many views, a set of all visitors would take too much memory. */
async function isCountedExactly(reader: DuckDBConnection, range: Range, mostExact: number): Promise<boolean> {
  return isShort(range) || hasFewViews(reader, range, mostExact);
}

function isShort({ from, to }: Range): boolean {
  return to - from <= LONGEST_EXACT_MS;
}

async function hasFewViews(
  reader: DuckDBConnection,
  { from, to }: Range,
  mostExact: number,
): Promise<boolean> {
  const found = await reader.runAndReadAll('SELECT count(*) FROM events WHERE time >= $1 AND time < $2', [
    toTimestamp(from),
    toTimestamp(to),
  ]);
  return Number(found.getRows()[0]?.[0]) <= mostExact;
}

/** What is ranked, with the texts from `$2` on. */
function selectedBy({ category, search }: Pick<RankingQuery, 'category' | 'search'>): string {
  const text = category === undefined ? '$2' : '$3';
  const parts = [
    category === undefined ? [] : ['category = $2'],
    search === undefined
      ? []
      : [`(contains(lower(item), lower(${text})) OR contains(lower(name), lower(${text})))`],
  ].flat();
  return parts.join(' AND ') || 'true';
}

/** The visitors of the first `$1` only: without a set for each item of the range. */
function winnersBy(ranked: RankedBy, events: string): string {
  return `
  WITH viewed AS NOT MATERIALIZED (
    SELECT item, time, weight, kind, bot, ${WHO} AS who FROM ${events}
  ), top AS (
    SELECT item, ${KINDS}, ${lastOf(ranked)} AS last
    FROM viewed GROUP BY item HAVING ${ranked} > 0 ORDER BY ${ranked} DESC, item LIMIT $1
  )
  SELECT item, views, bots, prefetches, total, count(DISTINCT who) FILTER (${BY_PEOPLE}), epoch_ms(last)
  FROM top JOIN viewed USING (item)
  GROUP BY item, views, bots, prefetches, total, last
  ORDER BY ${ranked} DESC, item`;
}

function allBy(ranked: RankedBy, events: string): string {
  return `
  SELECT item, ${KINDS}, ${DISTINCT}, epoch_ms(${lastOf(ranked)})
  FROM ${events} GROUP BY item HAVING ${ranked} > 0 ORDER BY ${ranked} DESC, item LIMIT $1`;
}

function lastOf(ranked: RankedBy): string {
  return `max(time)${ranked === 'views' ? ` FILTER (${BY_PEOPLE})` : ''}`;
}

/** The same of rows that are counted already. */
function lastBy(ranked: RankedBy): string {
  return `epoch_ms(max(${ranked === 'views' ? 'last_view' : 'last'}))`;
}
