import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Origin, startOrigin } from '../demo/origin.ts';
import { renderShop } from '../demo/shop.ts';
import type { WholeHotList } from '../heat/hot-list.ts';
import { type NginxBuild, obtainNginx } from '../provision/nginx.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { startNginx } from '../test/parts/nginx.ts';
import { freePorts } from '../test/parts/ports.ts';
import { until } from '../test/parts/until.ts';
import type { Bench, Case, Target } from './bench.ts';
import { openLoop } from './open-loop.ts';
import { measureCold } from './origin-cold.ts';
import { startBenchSidecar } from './sidecar.ts';
import { median, percentile, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';

const RATE = 500;
const SECONDS = 20;
/** A queue that grows: what a round takes depends on how many pages a second the origin makes just then, so there are several. */
const ROUNDS = 3;
const ROUND_SECONDS = 6;
const WARM_UP_SECONDS = 3;
/** Of the small catalogue of the examples. */
const PAGES = {
  cacheable: { item: '4711', headers: {} },
  cookie: { item: '4712', headers: { 'set-cookie': 'session=1' } },
  'no-store': { item: '4713', headers: { 'cache-control': 'no-store' } },
} as const;
type Kind = keyof typeof PAGES;
const KINDS = Object.keys(PAGES) as Kind[];
const WAYS = ['plain', 'textbook', 'ours'] as const;
type Way = (typeof WAYS)[number];
const INCLUDE = /^\s*include "[^"]*\/cache\.conf";\n/m;
const TEXTBOOK = `            proxy_cache textbook;
            proxy_cache_valid 200 1s;
            proxy_cache_lock on;
            proxy_cache_use_stale error timeout updating;
            proxy_cache_background_update on;
`;
/** Of the origin: for its state to be over before the next one. */
const PATIENCE_MS = 120_000;
/** After the origin was killed: three times protect.stale_seconds. */
const WATCHED_SECONDS = 30;

/** `latenciesMs`: of each round. */
type Measured = { kind: Kind; way: Way; requests: number; latenciesMs: number[][]; failed: number };
type Round = { requests: number; latenciesMs: number[]; failed: number };

export const origin: Bench = {
  about: `a sale of one item at ${RATE} views/s on an origin of 20 ms with 8 places: ours, plain, and the textbook's proxy_cache`,
  async run({ report, quick, isWanted }) {
    const build = await obtainNginx({ suite: 'trixie', report });
    const measured: Measured[] = [];
    for (const kind of KINDS.filter(isWanted)) {
      const [rounds, seconds] = kind === 'cacheable' ? [1, SECONDS] : [ROUNDS, ROUND_SECONDS];
      measured.push(...(await measureKind(kind, quick ? [1, 4] : [rounds, seconds])));
    }
    const killed = isWanted('killed') ? await measureKilled() : [];
    const cold = isWanted('cold') ? await measureCold({ build, quick, report }) : undefined;
    return {
      tables: [
        ...(measured.length === 0
          ? []
          : [{ title: `${RATE} views/s of one item`, cases: measured.map(row) }]),
        ...(killed.length === 0
          ? []
          : [{ title: 'the origin is killed while its page is hot', cases: killed }]),
        ...(cold === undefined ? [] : [cold.table]),
      ],
      targets: [...targetsOf(measured), ...(cold === undefined ? [] : [cold.target])],
      notes: [
        `Capture and detection run in all. plain: without a cache. textbook: proxy_cache with lock, stale and background update, one second. Latency from when a view was due, less what the sender itself came late. The origin can make 400 pages a second: plain queues. cacheable: ${SECONDS} s; the others: ${ROUNDS} rounds of ${ROUND_SECONDS} s, plain and ours in turn, medians of the rounds.`,
      ],
    };

    async function measureKind(kind: Kind, [rounds = 1, seconds = 1]: number[]): Promise<Measured[]> {
      const results = new Map<Way, Round[]>(WAYS.map((way) => [way, []]));
      for (let i = 0; i < rounds; i++) {
        // The textbook's waiters take their time: once is enough.
        const ways = WAYS.filter((way) => i === 0 || way !== 'textbook');
        for (const way of i % 2 === 0 ? ways : ways.toReversed()) {
          const one = await sale(build, { kind, way, seconds });
          results.get(way)?.push(one);
          report(
            `${kind}, ${way}: ${one.requests} requests to the origin, p99 ${percentile(one.latenciesMs, 0.99).toFixed(1)} ms`,
          );
        }
      }
      return [...results].map(([way, all]) => ({
        kind,
        way,
        requests: median(all.map(({ requests }) => requests)),
        latenciesMs: all.map(({ latenciesMs }) => latenciesMs),
        failed: all.reduce((sum, one) => sum + one.failed, 0),
      }));
    }

    async function measureKilled(): Promise<Case[]> {
      const cases: Case[] = [];
      for (const way of ['textbook', 'ours'] as const) {
        const seconds = await withShop(build, 'cacheable', way, servedAfterKill);
        cases.push({
          case: way,
          served_s: seconds === undefined ? `> ${WATCHED_SECONDS}` : round(seconds, 1),
          at_last: seconds === undefined ? 'still served' : "the origin's error",
        });
        report(
          `origin killed, ${way}: its page is served for ${seconds ?? `more than ${WATCHED_SECONDS}`} s`,
        );
      }
      return cases;
    }
  },
};

type Site = { application: Origin; views: { port: number; path: string } };

async function sale(
  build: NginxBuild,
  { kind, way, seconds }: { kind: Kind; way: Way; seconds: number },
): Promise<Round> {
  return withShop(build, kind, way, async ({ application, views }) => {
    application.load();
    const { ownMs, failed } = await openLoop({ ...views, ratePerSecond: RATE, seconds });
    const { requests } = application.load();
    await idle(application);
    return { requests, latenciesMs: ownMs, failed };
  });
}

/** Undefined where the page was still served at the end. */
async function servedAfterKill({ application, views }: Site): Promise<number | undefined> {
  await application.close();
  const began = performance.now();
  for (;;) {
    const seconds = (performance.now() - began) / 1_000;
    const { status } = await fetch(`http://127.0.0.1:${views.port}${views.path}`);
    if (status !== 200) return seconds;
    if (seconds > WATCHED_SECONDS) return undefined;
    await sleep(100);
  }
}

/** A shop whose item is hot, and decided about. */
async function withShop<T>(
  build: NginxBuild,
  kind: Kind,
  way: Way,
  work: (site: Site) => Promise<T>,
): Promise<T> {
  const { item, headers } = PAGES[kind];
  const { path: folder, remove } = temporaryFolder('origin');
  // As on an installed host.
  const memory = temporaryFolder('origin', '/dev/shm');
  const hot = join(memory.path, 'hot');
  const [port = 0, breaker, keeper] = await freePorts(3);
  const application = await startOrigin(() => headers);
  const sidecar = await startBenchSidecar({
    home: join(folder, 'home'),
    env: {
      HOTITEM_HEAT_DIR: hot,
      HOTITEM_NGINX_KEEPER: `127.0.0.1:${keeper}`,
      ...(way === 'ours' && { HOTITEM_PROTECT_HOSTS: '127.0.0.1' }),
    },
  });
  const shop = await renderShop({
    example: 'protect',
    folder: join(folder, 'nginx'),
    listen: `127.0.0.1:${port}`,
    breaker: `127.0.0.1:${breaker}`,
    keeper: `127.0.0.1:${keeper}`,
    cache: join(folder, 'cache'),
    socket: sidecar.socket,
    spill: sidecar.spill,
    hot,
    origin: application.address,
    ...(build.modules.js && { module: build.modules.js }),
    ...(process.getuid?.() === 0 && { user: 'root' }),
  });
  cacheBy(way, shop.conf, folder);
  const nginx = await startNginx({ build, prefix: folder, config: shop.conf, errorLog: shop.errorLog });
  // The address that is captured.
  const views = { port, path: `/web/item/${item}.html` };
  try {
    // Slower than what the origin can make.
    await openLoop({ ...views, ratePerSecond: RATE / 5, seconds: WARM_UP_SECONDS });
    if (way === 'ours') await settled(sidecar.admin, item);
    return await work({ application, views });
  } finally {
    await nginx.quit();
    await sidecar.stop();
    await application.close();
    memory.remove();
    remove();
  }
}

/** The same configuration with another cache, or none. */
function cacheBy(way: Way, conf: string, folder: string): void {
  if (way === 'ours') return;
  const ours = readFileSync(conf, 'utf8');
  const zone = `http {\n    proxy_cache_path "${join(folder, 'textbook')}" keys_zone=textbook:10m;\n`;
  if (!INCLUDE.test(ours)) throw new Error('the example protect.conf does not include cache.conf any more');
  const changed = ours.replace(INCLUDE, way === 'plain' ? '' : TEXTBOOK).replace('http {\n', zone);
  writeFileSync(conf, changed);
}

/** Until the item is hot and it is decided what becomes of its page. */
async function settled(admin: string, item: string): Promise<void> {
  const decided = async () => {
    const reply = await fetch(`http://${admin}/api/v1/hot`);
    const { hot } = (await reply.json()) as WholeHotList;
    return hot.some((one) => one.item === item && one.page !== undefined && one.page.state !== 'waiting');
  };
  await until(decided, { timeoutMs: PATIENCE_MS, what: 'the decision about the page' });
}

function idle(application: Origin): Promise<unknown> {
  return until(() => application.load().waiting === 0, { timeoutMs: PATIENCE_MS, what: 'an idle origin' });
}

function row(measured: Measured): Case {
  const { kind, way, requests, latenciesMs, failed } = measured;
  return {
    case: `${kind}, ${way}`,
    views: latenciesMs[0]?.length ?? 0,
    origin_requests: requests,
    p50_ms: round(quantile(measured, 0.5), 1),
    p99_ms: round(quantile(measured, 0.99), 1),
    worst_ms: round(quantile(measured, 1), 1),
    failed,
  };
}

/** The median of the rounds. */
function quantile({ latenciesMs }: Measured, p: number): number {
  return median(latenciesMs.map((round) => percentile(round, p)));
}

function targetsOf(measured: Measured[]): Target[] {
  return KINDS.flatMap((kind) => {
    const of = (way: Way) => measured.find((one) => one.kind === kind && one.way === way);
    const [ours, plain] = [of('ours'), of('plain')];
    if (ours === undefined || plain === undefined) return [];
    const by = (p: number) => quantile(ours, p) / quantile(plain, p);
    if (kind !== 'cacheable') return [atMost(`${kind}: p99, by plain's`, by(0.99), 1.05)];
    const fewer = round(plain.requests / Math.max(1, ours.requests), 0);
    return [
      atLeast("cacheable: plain's requests to the origin, by ours", fewer, 100),
      atMost('cacheable: p99, ms', quantile(ours, 0.99), 5),
      atMost("cacheable: worst, by plain's", by(1), 1, 3),
      atMost('cacheable: failed pages', ours.failed, 0),
    ];
  });
}
