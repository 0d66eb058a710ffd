// What `bench heat` runs in a process of its own, for each number of items and each round: views into the detector, their words made before.
// One detector in a process, as in a sidecar: of functions that exist several times V8 makes code that is a third slower.

import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { TICK_MS } from '../detect/clock.ts';
import { createDecisions } from '../detect/decisions.ts';
import { createHeat } from '../detect/heat.ts';
import { compileRules } from '../detect/rules.ts';
import { createRows, ROW_BITS } from '../detect/views.ts';
import { mix } from '../event/mix.ts';
import { parsedPerCpuSecond } from './json-parse.ts';
import { sampleEvents } from './sample-events.ts';
import { wordsOf, zipfRanks } from './zipf-stream.ts';

export type ViewsOptions = { items: number; views: number };

/** Of one round. `Map`: counts the items in a `Map` by their names. */
export type ViewsMeasured = {
  perCpuSecond: number;
  longestTickMs: number;
  scavenges: number;
  bytes: number;
  mapPerCpuSecond: number;
  parsedPerCpuSecond: number;
};

const START = 1_795_355_700_000;
const A_TICK = 15_000;
const A_BATCH = 1_000;
/** Views that are made; after them, the same again. */
const STREAM = 1_050 * A_BATCH;
const VISITORS = 200_000;
const WARM_UP_VIEWS = 1_000_000;

const options: ViewsOptions = JSON.parse(process.argv[2] ?? '{}');
const stream = makeStream(options.items);
const texts = sampleEvents(100);
const measured: ViewsMeasured = {
  ...(await observe(options.views)),
  mapPerCpuSecond: countInMap(options.views),
  parsedPerCpuSecond: parsedPerCpuSecond(texts),
};
process.stdout.write(JSON.stringify(measured));

function makeStream(items: number) {
  const ranks = zipfRanks({ items, s: 1, count: STREAM });
  const { words } = createRows(STREAM);
  for (const [i, rank] of ranks.entries()) {
    const [high, low] = wordsOf(rank);
    words.set([high, low, mix(mix(i) % VISITORS), 1], i << ROW_BITS);
  }
  return { items: Array.from(ranks, (rank) => `/item/${rank}`), words };
}

/** In a shop of which it is known what is usual: whether an item is a surge is asked as well. */
async function observe(
  views: number,
): Promise<Omit<ViewsMeasured, 'mapPerCpuSecond' | 'parsedPerCpuSecond'>> {
  const { items, words } = stream;
  let first = 0;
  const heat = createHeat({
    now: START,
    nameOf: (index) => items[(first % STREAM) + index] ?? '',
    decisions: createDecisions({ rules: compileRules(), onChange: () => {} }),
    stored: { at: START, seconds: 3_600, itemsSeen: options.items, shop: 60_000_000, items: [] },
  });
  const collections = watchCollections();
  let now = START;
  let longestTickMs = 0;
  let before = process.cpuUsage();
  const times = new Float64Array(A_BATCH);
  for (; first < WARM_UP_VIEWS + views; first += A_BATCH) {
    if (first === WARM_UP_VIEWS) {
      before = process.cpuUsage();
      longestTickMs = 0;
    }
    if (first % A_TICK === 0) {
      now += TICK_MS;
      longestTickMs = Math.max(longestTickMs, tick(now));
    }
    times.fill(now);
    const row = (first % STREAM) << ROW_BITS;
    heat.observeAll({ length: A_BATCH, words: words.subarray(row, row + (A_BATCH << ROW_BITS)), times });
    heat.decide();
  }
  const perCpuSecond = (1e6 * views) / microseconds(before);
  return { perCpuSecond, longestTickMs, scavenges: await collections.stop(), bytes: heat.stats().bytes };

  /** At most what the process took, all its threads, and at most what passed: on a busy machine more passes. */
  function tick(time: number): number {
    const cpuBefore = process.cpuUsage();
    const began = performance.now();
    heat.advance(time);
    const passedMs = performance.now() - began;
    return Math.min(passedMs, microseconds(cpuBefore) / 1_000);
  }
}

/** What everybody would write first: counts the items of the same stream, with a new string for each view as a parser makes it. */
function countInMap(views: number): number {
  const counts = new Map<string, number>();
  const texts = stream.items.map((item) => Buffer.from(item));
  const before = process.cpuUsage();
  for (let i = 0; i < views; i++) {
    const item = texts[i % STREAM]?.toString('latin1') ?? '';
    counts.set(item, (counts.get(item) ?? 0) + 1);
  }
  return (1e6 * views) / microseconds(before);
}

function microseconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Counts collections of garbage until it is stopped. */
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
