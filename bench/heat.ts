import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { TICK_MS } from '../detect/clock.ts';
import { createDecisions } from '../detect/decisions.ts';
import { createHeat } from '../detect/heat.ts';
import { compileRules } from '../detect/rules.ts';
import { fromLine } from '../event/from-line.ts';
import { mix } from '../event/mix.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { parsedPerCpuSecond } from './json-parse.ts';
import { sampleLine } from './sample-line.mjs';
import { median, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';
import { wordsOf, zipfRanks } from './zipf-stream.ts';

const START = 1_795_355_700_000;
const A_TICK = 15_000;
const A_BATCH = 1_000;
const STREAM = 1 << 20;
const VISITORS = 200_000;
const WARM_UP_VIEWS = 1_000_000;
const ROUNDS = 5;
const MILLION = 1_000_000;

/** A stream of views, made before anything is measured. */
type Stream = { items: string[]; highs: Int32Array; lows: Int32Array; visitors: Int32Array };

/** Of one round. */
type Measured = { perCpuSecond: number; longestTickMs: number; scavenges: number; bytes: number };

export const heat: Bench = {
  about: 'views a second that heat detection observes on one core, its longest tick, and what it allocates',
  async run({ report, quick }) {
    const rounds = quick ? 1 : ROUNDS;
    const views = quick ? MILLION : 4 * MILLION;
    const cases: Case[] = [];
    const atMillion: Measured[] = [];
    const ticks: number[] = [];
    const texts = Array.from({ length: 100 }, (_, i) =>
      JSON.stringify(fromLine(sampleLine(i).trimEnd(), 'web-1')),
    );
    for (const items of [1_000, 100_000, MILLION]) {
      const stream = makeStream(items);
      const [ours, maps, parsed]: [Measured[], number[], number[]] = [[], [], []];
      await observe(stream, WARM_UP_VIEWS);
      for (let round = 0; round < rounds; round++) {
        ours.push(await observe(stream, views));
        maps.push(countInMap(stream, views));
        parsed.push(parsedPerCpuSecond(texts));
      }
      if (items === MILLION) atMillion.push(...ours);
      ticks.push(...ours.map(({ longestTickMs }) => longestTickMs));
      const perSecond = median(ours.map(({ perCpuSecond }) => perCpuSecond));
      cases.push({
        case: `${items.toLocaleString('en')} items`,
        million_views_per_s: round(perSecond / 1e6, 2),
        us_a_view: round(1e6 / perSecond, 2),
        times_json_parse: round(perSecond / median(parsed), 1),
        map_of_strings_million_per_s: round(median(maps) / 1e6, 2),
        longest_tick_ms: round(Math.max(...ours.map(({ longestTickMs }) => longestTickMs)), 1),
        scavenges: median(ours.map(({ scavenges }) => scavenges)),
        tables_mb: round((ours[0]?.bytes ?? 0) / 1e6, 1),
      });
      report(JSON.stringify(cases.at(-1)));
    }
    const perSecond = median(atMillion.map(({ perCpuSecond }) => perCpuSecond));
    return {
      tables: [
        {
          title: 'views a second of CPU time, 150,000/s by their own time, Zipf 1.0, 200,000 visitors',
          cases,
        },
      ],
      targets: [
        atLeast('million views a second at a million items', perSecond / 1e6, 2, 2),
        atMost('CPU a view, us', 1e6 / perSecond, 0.8, 2),
        atMost('longest tick, ms of CPU', Math.max(...ticks), 10),
        atMost('tables, MB', Math.max(...atMillion.map(({ bytes }) => bytes)) / 1e6, 32, 1),
      ],
      notes: [
        `scavenges: of V8's young generation, in ${views.toLocaleString('en')} views: the ticks' and decisions' own, none for a view.`,
        'map_of_strings: only counts the items of the same stream, in a Map, with a new string for each view as a parser makes it.',
      ],
    } satisfies Outcome;
  },
};

function makeStream(items: number): Stream {
  const ranks = zipfRanks({ items, s: 1, count: STREAM });
  const words = Array.from(ranks, wordsOf);
  return {
    items: Array.from(ranks, (rank) => `/item/${rank}`),
    highs: Int32Array.from(words, ([high]) => high),
    lows: Int32Array.from(words, ([, low]) => low),
    visitors: Int32Array.from({ length: STREAM }, (_, i) => mix(mix(i) % VISITORS)),
  };
}

async function observe({ items, highs, lows, visitors }: Stream, views: number): Promise<Measured> {
  let at = 0;
  const decisions = createDecisions({ rules: compileRules(), onChange: () => {} });
  const detector = createHeat({ now: START, nameOf: () => items[at] ?? '', decisions });
  const collections = watchCollections();
  let now = START;
  let longestTick = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < views; i++) {
    if (i % A_TICK === 0) {
      now += TICK_MS;
      const tickBefore = process.cpuUsage();
      detector.advance(now);
      longestTick = Math.max(longestTick, microseconds(tickBefore));
    }
    at = i & (STREAM - 1);
    detector.observe(highs[at] ?? 0, lows[at] ?? 0, visitors[at] ?? 0, 1, false, now);
    if (i % A_BATCH === A_BATCH - 1) detector.decide();
  }
  const perCpuSecond = (1e6 * views) / microseconds(before);
  return {
    perCpuSecond,
    longestTickMs: longestTick / 1_000,
    scavenges: await collections.stop(),
    bytes: detector.stats().bytes,
  };
}

/** What everybody would write first. */
function countInMap({ items }: Stream, views: number): number {
  const counts = new Map<string, number>();
  const texts = items.map((item) => Buffer.from(item));
  const before = process.cpuUsage();
  for (let i = 0; i < views; i++) {
    const item = texts[i & (STREAM - 1)]?.toString('latin1') ?? '';
    counts.set(item, (counts.get(item) ?? 0) + 1);
  }
  return (1e6 * views) / microseconds(before);
}

function microseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Counts collections of the young generation until it is stopped. */
function watchCollections(): { stop(): Promise<number> } {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    count += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  return {
    async stop() {
      // Entries are told after the event loop has turned.
      await sleep(1);
      observer.disconnect();
      return count;
    },
  };
}
