// What `bench heat` runs in a process of its own, for each way of keeping addresses and each round: lines through ingestion, up to the spool,
// without heat detection (`without`), with all that takes its numbers from the line (`hashed`), or with all of it (`withHeat`). Heat keeps what
// it keeps in `home`. One way in a process, as in a sidecar.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { TICK_MS } from '../detect/clock.ts';
import type { IpMode } from '../event/address-mask.ts';
import { createBotTest } from '../event/bot-test.ts';
import { createEventWriter } from '../event/event-writer.ts';
import { createHeatView } from '../event/heat-view.ts';
import { mix } from '../event/mix.ts';
import { createVisitorHash } from '../event/visitor.ts';
import { startHeat } from '../heat/heat.ts';
import { HEAT_METRICS } from '../heat/metrics.ts';
import { createViewBatches } from '../heat/view-batches.ts';
import { createMetrics } from '../service/metrics.ts';
import { type NewViews, NO_VIEWS } from '../sidecar/ingest/new-views.ts';
import { createRecentIds } from '../sidecar/ingest/recent-ids.ts';
import { createTakeIn } from '../sidecar/ingest/take-in.ts';
import { SIDECAR_METRICS } from '../sidecar/metrics.ts';
import { parsedPerCpuSecond } from './json-parse.ts';
import { sampleEvents } from './sample-events.ts';
import { sampleLine } from './sample-line.mjs';
import { zipfRanks } from './zipf-stream.ts';

export type LineWay = 'without' | 'hashed' | 'withHeat';

export type LinesOptions = { home: string; items: number; ip: IpMode; requests: number; way: LineWay };

/** CPU of a line, and of `JSON.parse` of an event, µs. */
export type LineMeasured = { line: number; parse: number };

const START = 1_795_355_712_000;
const A_SECOND = 150_000;
const A_REQUEST = 1_000;
const WARM_UP_REQUESTS = 300;
const VISITORS = 200_000;
const SALT = 'of the bench, not secret';

const options: LinesOptions = JSON.parse(process.argv[2] ?? '{}');
/** One for the event and for heat, as in a sidecar. */
const isBot = createBotTest();
const costOf: Record<LineWay, () => Promise<number>> = {
  without: () => cost(NO_VIEWS),
  hashed: () => cost(createViewBatches({ view: createHeatView(), isBot, count() {} })),
  withHeat: costWithHeat,
};
const requests = makeRequests();
const texts = sampleEvents(5_000);
const line = await costOf[options.way]();
const measured: LineMeasured = { line, parse: 1e6 / parsedPerCpuSecond(texts) };
process.stdout.write(JSON.stringify(measured));
process.exit();

async function costWithHeat(): Promise<number> {
  const home = mkdtempSync(join(options.home, 'heat-'));
  let now = START;
  const heat = await startHeat({
    config: { dir: join(home, 'hot'), cap: 100 },
    home,
    node: 'web-1',
    gid: undefined,
    metrics: createMetrics(new Registry(), HEAT_METRICS),
    warn() {},
    now: () => now,
    isBot,
    ticks: false,
  });
  const withHeat = await cost(heat.newViews, (request) => {
    now = timeOf(request);
    if (request % (A_SECOND / A_REQUEST / (1_000 / TICK_MS)) === 0) heat.tick();
  });
  await heat.close();
  return withHeat;
}

/** Of a line in all requests, as ingestion deals with it; only that nothing is written. */
async function cost(newViews: NewViews, before: (request: number) => void = () => {}): Promise<number> {
  const takeIn = createTakeIn({
    recent: createRecentIds(),
    writer: createEventWriter({
      node: 'web-1',
      hashVisitor: createVisitorHash(SALT),
      isBot,
      ip: { mode: options.ip, salt: SALT },
      omit: [],
    }),
    keep: () => Promise.resolve(),
    newViews,
    reject(line) {
      throw new Error(`a line of the bench is rejected: ${line.reason}`);
    },
    metrics: createMetrics(new Registry(), SIDECAR_METRICS),
  });
  let cpuBefore = process.cpuUsage();
  for (const [i, lines] of requests.entries()) {
    // What is hot from the beginning has become so by then.
    if (i === WARM_UP_REQUESTS) cpuBefore = process.cpuUsage();
    before(i);
    await takeIn(lines, 'intake');
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return (user + system) / ((requests.length - WARM_UP_REQUESTS) * A_REQUEST);
}

/** As nginx posts them, by the time that they were seen. */
function makeRequests(): Buffer[] {
  const ranks = zipfRanks({ items: options.items, s: 1, count: options.requests * A_REQUEST });
  return Array.from({ length: options.requests }, (_, request) => {
    const lines = Array.from({ length: A_REQUEST }, (_, i) => {
      const view = request * A_REQUEST + i;
      return makeLine(view, ranks[view] ?? 0, timeOf(request));
    });
    return Buffer.from(lines.join(''), 'latin1');
  });
}

function timeOf(request: number): number {
  return START + Math.floor((request * A_REQUEST * 1_000) / A_SECOND);
}

function makeLine(view: number, item: number, time: number): string {
  const visitor = (mix(view) >>> 0) % VISITORS;
  return sampleLine(view, {
    msec: (time / 1_000).toFixed(3),
    id: [1, 2, 3, 4].map((word) => hex(mix(4 * view + word))).join(''),
    item,
    ip: `10.${visitor >> 16}.${(visitor >> 8) & 255}.${visitor & 255}`,
    browser: visitor,
  });
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
