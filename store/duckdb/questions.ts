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
import { toTimestamp } from './columns.ts';

const BY_PEOPLE = 'kind IS NULL AND bot IS NOT TRUE';
/** `visitorOf`, for counting distinct visitors: 64 bits of the key, or of address and user agent. */
const WHO =
  "CASE WHEN visitor IS NOT NULL THEN hash(visitor) WHEN ip IS NOT NULL THEN hash(ip, coalesce(ua, '')) END";
const KINDS = `
  coalesce(sum(weight) FILTER (${BY_PEOPLE}), 0) AS views,
  coalesce(sum(weight) FILTER (kind IS NULL AND bot IS TRUE), 0) AS bots,
  coalesce(sum(weight) FILTER (kind = 'prefetch'), 0) AS prefetches,
  coalesce(sum(weight), 0) AS total`;
/** Test views count nowhere. */
const VIEWED = "time >= $1 AND time < $2 AND kind IS DISTINCT FROM 'test'";

/** Of so many views, visitors are counted exactly: at most twice the time of an estimate, and within the memory of the index. */
const MOST_EXACT_VIEWS = 1_000_000;
/** Of a day also of more views, where so few items are found: for these alone, without a set for each item of the range. */
const MOST_EXACT_ITEMS = 200;
const LONGEST_EXACT_MS = 86_400_000;
/**
 * DuckDB's HyperLogLog has 64 registers (duckdb#20916): it is off by 10 % on average. The sum of the estimates of four parts is off by half of that; more
 * parts take as long as counting.
 */
const PARTS = 4;
const ESTIMATED = { estimated: true } as const;
const DECIDED = `epoch_ms(time), node, item, change, signal, reason, epoch_ms(since), rule, actions, dry_run,
       views_per_second, visitors`;
const COLUMN: Readonly<Record<Ranking, RankedBy>> = { people: 'views', all: 'total' };

type RankedBy = 'views' | 'total';

export async function topItems(
  reader: DuckDBConnection,
  { from, to, limit, rank = 'people', category, search }: RankingQuery,
): Promise<ItemViews[]> {
  const ranked = COLUMN[rank];
  const selected = selectedBy({ category, search });
  const texts = [category, search].filter((text) => text !== undefined);
  if (await hasFewViews(reader, { from, to })) return ask(rankedBy(ranked, selected, exact('who')));
  const winners = exactBy(ranked, selected);
  const isShort = to - from <= LONGEST_EXACT_MS;
  if (isShort && limit <= MOST_EXACT_ITEMS) return ask(winners);
  const found = await ask(rankedBy(ranked, selected, estimate('who')));
  const isFew = found.length > 0 && found.length <= MOST_EXACT_ITEMS;
  return isShort && isFew ? ask(winners) : found.map(estimated);

  async function ask(sql: string): Promise<ItemViews[]> {
    const found = await reader.runAndReadAll(sql, [toTimestamp(from), toTimestamp(to), limit, ...texts]);
    return found.getRows().map(toItemViews);
  }
}

export async function itemViews(
  reader: DuckDBConnection,
  { item, from, to }: ItemQuery,
): Promise<ItemViews | undefined> {
  const isExact = await isCountedExactly(reader, { from, to, item });
  const found = await reader.runAndReadAll(
    `SELECT $3, ${KINDS}, ${visitorsBy(isExact)}, epoch_ms(max(time))
     FROM events WHERE ${VIEWED} AND item = $3 HAVING count(*) > 0`,
    [toTimestamp(from), toTimestamp(to), item],
  );
  return found
    .getRows()
    .map(toItemViews)
    .map(isExact ? (one) => one : estimated)[0];
}

export async function totals(reader: DuckDBConnection, { from, to }: Range): Promise<Totals> {
  const isExact = await isCountedExactly(reader, { from, to });
  const found = await reader.runAndReadAll(
    `SELECT ${KINDS}, ${visitorsBy(isExact)}, count(DISTINCT hash(item)),
       epoch_ms(min(time)), epoch_ms(max(time))
     FROM events WHERE ${VIEWED}`,
    [toTimestamp(from), toTimestamp(to)],
  );
  const [views = 0, bots = 0, prefetches = 0, all = 0, visitors = 0, items = 0, first, last] =
    found.getRows()[0] ?? [];
  return {
    ...withOthers({
      views: Number(views),
      bots: Number(bots),
      prefetches: Number(prefetches),
      all: Number(all),
      visitors: Number(visitors),
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
): Promise<CategoryViews[]> {
  const ranked = COLUMN[rank];
  const isExact = await isCountedExactly(reader, { from, to });
  const found = await reader.runAndReadAll(
    `SELECT coalesce(category, '') AS shown, ${KINDS}, ${visitorsBy(isExact)},
       epoch_ms(${lastOf(ranked)})
     FROM events WHERE ${VIEWED} GROUP BY shown HAVING ${ranked} > 0 ORDER BY ${ranked} DESC, shown LIMIT $3`,
    [toTimestamp(from), toTimestamp(to), limit],
  );
  return found.getRows().map((row) => {
    const { item: category, ...counted } = toItemViews(row);
    return { category, ...counted, ...(!isExact && ESTIMATED) };
  });
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
  const ofItem = item === undefined ? [] : [item];
  const found = await reader.runAndReadAll(
    `SELECT ((epoch_ms(time) - $3::BIGINT) // $4::BIGINT)::INTEGER AS step,
       coalesce(sum(weight) FILTER (${BY_PEOPLE}), 0), sum(weight)
     FROM events WHERE ${VIEWED}${item === undefined ? '' : ' AND item = $5'} GROUP BY step`,
    [toTimestamp(from), toTimestamp(to), from, stepMs, ...ofItem],
  );
  const intervals = Math.ceil((to - from) / stepMs);
  const line: TimeLine = { people: zeros(intervals), all: zeros(intervals) };
  for (const [step, people, all] of found.getRows()) {
    line.people[Number(step)] = Number(people);
    line.all[Number(step)] = Number(all);
  }
  return line;
}

const SOURCE_COLUMN = { referrer: 'ref', host: 'host', utm_source: 'args' } as const;

export async function sources(reader: DuckDBConnection, query: SourcesQuery): Promise<Sources> {
  const { item, from, to, by } = query;
  const found = await reader.runAndReadAll(
    `SELECT coalesce(${SOURCE_COLUMN[by]}, '') AS source, sum(weight) AS views, sum(views) OVER ()
     FROM events WHERE ${VIEWED} AND ${BY_PEOPLE} AND item = $3
     GROUP BY source ORDER BY views DESC, source LIMIT $4`,
    [toTimestamp(from), toTimestamp(to), item, MOST_TEXTS],
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

function toItemViews([item, ...numbers]: DuckDBValue[]): ItemViews {
  const [views = 0, bots = 0, prefetches = 0, all = 0, visitors = 0, last = 0] = numbers.map(Number);
  return withOthers({ item: String(item), views, bots, prefetches, all, visitors, last });
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

function estimated<One>(one: One): One & typeof ESTIMATED {
  return { ...one, ...ESTIMATED };
}

/** Of all items, or of one. Over a longer range with many views, a set of all visitors would take too much memory. */
async function isCountedExactly(
  reader: DuckDBConnection,
  range: Range & { item?: string },
): Promise<boolean> {
  return range.to - range.from <= LONGEST_EXACT_MS || hasFewViews(reader, range);
}

async function hasFewViews(
  reader: DuckDBConnection,
  { from, to, item }: Range & { item?: string },
): Promise<boolean> {
  const ofItem = item === undefined ? [] : [item];
  const found = await reader.runAndReadAll(
    `SELECT count(*) FROM (
       SELECT 1 FROM events WHERE time >= $1 AND time < $2${item === undefined ? '' : ' AND item = $3'} LIMIT ${MOST_EXACT_VIEWS + 1})`,
    [toTimestamp(from), toTimestamp(to), ...ofItem],
  );
  return Number(found.getRows()[0]?.[0]) <= MOST_EXACT_VIEWS;
}

function visitorsBy(isExact: boolean): string {
  return isExact ? exact(WHO, BY_PEOPLE) : estimate(WHO, BY_PEOPLE);
}

function exact(hashed: string, which = 'true'): string {
  return `count(DISTINCT ${hashed}) FILTER (${which})`;
}

function estimate(hashed: string, which = 'true'): string {
  const part = (nth: number) =>
    `approx_count_distinct(${hashed}) FILTER (${which} AND ${hashed} % ${PARTS} = ${nth})`;
  return `(${Array.from({ length: PARTS }, (_, nth) => part(nth)).join(' + ')})`;
}

/** What of the range is ranked, with the texts from `$4` on. */
function selectedBy({ category, search }: Pick<RankingQuery, 'category' | 'search'>): string {
  const text = category === undefined ? '$4' : '$5';
  return [
    category === undefined ? '' : ' AND category = $4',
    search === undefined
      ? ''
      : ` AND (contains(lower(item), lower(${text})) OR contains(lower(name), lower(${text})))`,
  ].join('');
}

function exactBy(ranked: RankedBy, selected: string): string {
  return `
  WITH viewed AS NOT MATERIALIZED (
    SELECT item, time, weight, kind, bot, ${WHO} AS who FROM events WHERE ${VIEWED}${selected}
  ), top AS (
    SELECT item, ${KINDS}, ${lastOf(ranked)} AS last
    FROM viewed GROUP BY item HAVING ${ranked} > 0 ORDER BY ${ranked} DESC, item LIMIT $3
  )
  SELECT item, views, bots, prefetches, total, count(DISTINCT who) FILTER (${BY_PEOPLE}), epoch_ms(last)
  FROM top JOIN viewed USING (item)
  GROUP BY item, views, bots, prefetches, total, last
  ORDER BY ${ranked} DESC, item`;
}

/** `counted`: the visitors, as `who`. */
function rankedBy(ranked: RankedBy, selected: string, counted: string): string {
  return `
  WITH viewed AS NOT MATERIALIZED (
    SELECT item, time, weight, kind, bot, CASE WHEN ${BY_PEOPLE} THEN ${WHO} END AS who FROM events WHERE ${VIEWED}${selected}
  )
  SELECT item, ${KINDS}, ${counted}, epoch_ms(${lastOf(ranked)})
  FROM viewed GROUP BY item HAVING ${ranked} > 0 ORDER BY ${ranked} DESC, item LIMIT $3`;
}

function lastOf(ranked: RankedBy): string {
  return `max(time)${ranked === 'views' ? ` FILTER (${BY_PEOPLE})` : ''}`;
}
