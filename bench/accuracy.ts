import { createRandom } from '../demo/random.ts';
import { TICK_MS } from '../detect/clock.ts';
import { createDecisions } from '../detect/decisions.ts';
import { createHeat } from '../detect/heat.ts';
import { compileRules } from '../detect/rules.ts';
import { mix } from '../event/mix.ts';
import { obtainTopK, type TopKClass } from '../test/provision/bloom-filters.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { createSpaceSaving } from './space-saving.ts';
import { percentile, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';
import { wordsOf, zipfRanks } from './zipf-stream.ts';

const START = 1_795_355_700_000;
const ITEMS = 1_000_000;
const A_TICK = 15_000;
const TOP = 100;
const WINDOW_TICKS = 100;
const MINUTE_TICKS = 600;
const VISITORS = 200_000;
/** Which items are popular changes so often, s. */
const MOVES_AFTER = 60;
const MOVED = 20_000;
const TOP_K_PART = 10;
const TOP_K_ERROR = 0.00001;
const TOP_K_ACCURACY = 0.99;

type Measured = {
  at: number;
  recall: number;
  worstError: number;
  /** Errors of the different visitors of a minute, sorted. */
  visitorErrors: number[];
  spaceSaving: number;
  topK: number;
};

type MeasureOptions = { s: number; seconds: number; TopK: TopKClass; report: (line: string) => void };

/** Views of one tick, of items that are asked for again. */
type Seen = { items: Uint32Array; visitors: Uint32Array };

export const accuracy: Bench = {
  about:
    'the hottest items of the last ten seconds beside an exact count, with a popularity that moves and URLs of their own',
  async run({ report, quick }) {
    const seconds = quick ? 70 : 180;
    const TopK = await obtainTopK(report);
    const outcomes = [1, 1.2].map((s) => ({ s, ...measure({ s, seconds, TopK, report }) }));
    const cases = outcomes.flatMap(({ s, measured }): Case[] =>
      measured.map(({ at, recall, worstError, visitorErrors, spaceSaving, topK }) => ({
        case: `Zipf ${s}, after ${at} s`,
        recall_of_top_100: round(recall, 2),
        worst_count_error_pct: round(100 * worstError, 2),
        visitors_error_p95_pct: round(100 * percentile(visitorErrors, 0.95), 1),
        visitors_error_worst_pct: round(100 * percentile(visitorErrors, 1), 1),
        recall_of_space_saving: round(spaceSaving, 2),
        recall_of_bloom_filters: round(topK, 2),
      })),
    );
    const all = outcomes.flatMap(({ measured }) => measured);
    return {
      tables: [
        { title: '150,000 views/s of a million items, half of them URLs that are asked for once', cases },
      ],
      targets: [
        atLeast('recall of the top 100 of the last 10 s', Math.min(...all.map(({ recall }) => recall)), 0.99),
        atMost('worst error of a count, %', 100 * Math.max(...all.map(({ worstError }) => worstError)), 2),
        atMost(
          'error of the different visitors of a minute, of the worst item, %',
          100 * Math.max(...all.flatMap(({ visitorErrors }) => visitorErrors)),
          5,
          1,
        ),
        atMost('tables, MB', Math.max(...outcomes.map(({ bytes }) => bytes)) / 1e6, 32, 1),
      ],
      notes: [
        'space_saving: 10,000 counters on the same stream, never aged.',
        `bloom_filters: TopK of the npm package bloom-filters, for the top ${TOP}, never aged. It takes 20 µs a view, so it is given each ${TOP_K_PART}th view of the same stream.`,
      ],
    } satisfies Outcome;
  },
};

function measure({ s, seconds, TopK, report }: MeasureOptions): { measured: Measured[]; bytes: number } {
  const ranks = zipfRanks({ items: ITEMS, s, count: 60 * 150_000 });
  const random = createRandom(9);
  const words = Array.from({ length: ITEMS }, (_, item) => wordsOf(item));
  const exact = new Uint32Array(ITEMS);
  const past: Seen[] = [];
  let name = 0;
  const decisions = createDecisions({ rules: compileRules(), onChange: () => {} });
  const heat = createHeat({ now: START, nameOf: () => String(name), decisions });
  const spaceSaving = createSpaceSaving(10_000);
  const topK = new TopK(TOP, TOP_K_ERROR, TOP_K_ACCURACY);
  const measured: Measured[] = [];
  let unique = ITEMS;
  let next = 0;
  // A window of ten seconds is one of exactly ten at the last tick of a second.
  const ticks = (seconds * 1_000) / TICK_MS - 1;
  for (let tick = 1; tick <= ticks; tick++) {
    const now = START + tick * TICK_MS;
    heat.advance(now);
    const seen: Seen = { items: new Uint32Array(A_TICK), visitors: new Uint32Array(A_TICK) };
    let count = 0;
    for (let i = 0; i < A_TICK; i++) {
      const isUnique = random() < 0.5;
      const item = isUnique ? unique++ : moved(ranks[next++ % ranks.length] ?? 0, tick);
      const [high, low] = words[item] ?? wordsOf(item);
      name = item;
      const visitor = Math.floor(random() * VISITORS);
      heat.observe(high, low, mix(visitor), 1, false, now);
      spaceSaving.add(item);
      if (i % TOP_K_PART === 0) topK.add(String(item));
      if (isUnique) continue;
      seen.items[count] = item;
      seen.visitors[count++] = visitor;
      exact[item] = (exact[item] ?? 0) + 1;
    }
    heat.decide();
    past.push({ items: seen.items.slice(0, count), visitors: seen.visitors.slice(0, count) });
    for (const item of past.at(-1 - WINDOW_TICKS)?.items ?? []) exact[item] = (exact[item] ?? 0) - 1;
    if (past.length > MINUTE_TICKS) past.shift();
    if (tick === ticks || (tick % 300 === 299 && tick > 600)) {
      const at = (tick + 1) / 10;
      const one = {
        at,
        ...compare(),
        visitorErrors: compareVisitors(),
        spaceSaving: recallOf(spaceSaving.top(TOP)),
        topK: recallOf(topK.values().map(({ value }) => Number(value))),
      };
      measured.push(one);
      report(
        `Zipf ${s}, ${at} s: recall ${one.recall}, Space-Saving ${one.spaceSaving}, bloom-filters ${one.topK}`,
      );
    }
  }
  return { measured, bytes: heat.stats().bytes };

  function moved(rank: number, tick: number): number {
    return rank < MOVED ? (rank + Math.floor(tick / 10 / MOVES_AFTER) * MOVED) % ITEMS : rank;
  }

  function compare(): Pick<Measured, 'recall' | 'worstError'> {
    const top = heat.top(TOP, 'ten').map(({ item, views }) => ({ item: Number(item), views }));
    const errors = top.map(({ item, views }) => Math.abs(views / (exact[item] ?? Number.NaN) - 1));
    return { recall: recallOf(top.map(({ item }) => item)), worstError: Math.max(...errors) };
  }

  function compareVisitors(): number[] {
    const top = heat.top(TOP, 'minute').map(({ item, visitors }) => ({ item: Number(item), visitors }));
    const different = new Map(top.map(({ item }) => [item, new Set<number>()]));
    for (const { items, visitors } of past)
      for (const [i, item] of items.entries()) different.get(item)?.add(visitors[i] ?? 0);
    return top.map(({ item, visitors }) =>
      Math.abs(visitors / (different.get(item)?.size ?? Number.NaN) - 1),
    );
  }

  function recallOf(items: number[]): number {
    const least = exact.toSorted().at(-TOP) ?? 0;
    return items.filter((item) => (exact[item] ?? 0) >= least).length / TOP;
  }
}
