import { BY_PEOPLE, KINDS, WHO } from './counting.ts';

/*
 * An estimate of distinct visitors that can be stored and merged: 126 bitmaps of 16 bits (Flajolet and Martin, Probabilistic Counting
 * Algorithms for Data Base Applications, 1985). Each visitor sets one bit: one end of the hash chooses the bitmap, and how many zeros the
 * other end has chooses the bit. So half of all visitors are in the first level, a quarter in the second, and so on. A column has a level of
 * all bitmaps. The union of two sketches is `bit_or`: a visitor of two days is one. How many bits are set tells how many visitors set them
 * (the ICON estimator of Lang, Back to the Future: an Even More Nearly Optimal Cardinality Estimation Algorithm, 2017). It is off by
 * 0.69 / √126 = 6 % (standard error), 4 % of a hundred visitors, and is full at 20 million.
 *
 * DuckDB's own HyperLogLog has 64 registers (duckdb#20916), is off by 13 %, and no aggregate merges what it stores.
 */

/** As many as are in a HUGEINT that is not negative. */
const MAPS = 126;
const LEVELS = 16;
const MOST = 2 ** 25;

const EACH = Array.from({ length: LEVELS }, (_, nth) => `s${nth}`);

/** The columns of a sketch. */
export const SKETCH: string = EACH.join(', ');
export const SKETCH_COLUMNS: string = EACH.map((name) => `${name} HUGEINT NOT NULL`).join(', ');
/** The union of the sketches of a group. */
export const SKETCH_UNION: string = EACH.map((name) => `bit_or(${name}) AS ${name}`).join(', ');
/** Number of bits in the union of the sketches of a group, for `visitorsOf`. */
export const UNION_BITS: string = EACH.map((name) => `bit_count(bit_or(${name}))::INTEGER`).join(' + ');

/**
 * A query: the counts of `events`, a relation, and the sketch of their visitors, for each of `keys`. Grouped by level first, and then
 * made columns: to do that for each event would take three times as long.
 */
export function countedWithSketch(events: string, keys: readonly string[]): string {
  const key = keys.join(', ');
  const columns = EACH.map((name, nth) => `coalesce(bit_or(bits) FILTER (level = ${nth}), 0) AS ${name}`);
  return `
  SELECT ${key}, sum(views) AS views, sum(bots) AS bots, sum(prefetches) AS prefetches, sum(total) AS total,
    min(first) AS first, max(last) AS last, max(last_view) AS last_view, ${columns.join(', ')}
  FROM (
    SELECT ${key}, level, ${KINDS}, min(time) AS first, max(time) AS last, max(time) FILTER (${BY_PEOPLE}) AS last_view,
      bit_or(bit) AS bits
    FROM (
      SELECT *, bit_count(xor(low, low - 1)) - 1 AS level, 1::HUGEINT << ((who >> 32) % ${MAPS}) AS bit
      FROM (
        SELECT *, ((who & ${2 ** LEVELS - 1}) | ${2 ** (LEVELS - 1)})::INTEGER AS low
        FROM (SELECT *, CASE WHEN ${BY_PEOPLE} THEN ${WHO} END AS who FROM ${events})
      )
    ) GROUP BY ${key}, level
  ) GROUP BY ${key}`;
}

const known = new Map<number, number>();

/** About how many visitors set `bits` of a sketch. */
export function visitorsOf(bits: number): number {
  const before = known.get(bits);
  if (before !== undefined) return before;
  let [few, many] = [0, MOST];
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2);
    if (bitsOf(middle) < bits) few = middle;
    else many = middle;
  }
  const visitors = Math.abs(bitsOf(few) - bits) < Math.abs(bitsOf(many) - bits) ? few : many;
  known.set(bits, visitors);
  return visitors;
}

/** How many bits so many visitors set on average. */
function bitsOf(visitors: number): number {
  let bits = 0;
  for (let level = 1; level <= LEVELS; level++) {
    const share = 2 ** -Math.min(level, LEVELS - 1) / MAPS;
    bits += MAPS * -Math.expm1(visitors * Math.log1p(-share));
  }
  return bits;
}
