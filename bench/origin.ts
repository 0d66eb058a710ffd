import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Origin, startOrigin } from '../demo/origin.ts';
import { renderShop } from '../demo/shop.ts';
import type { WholeHotList } from '../heat/hot-list.ts';
import { obtainNginx } from '../provision/nginx.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { startNginx } from '../test/parts/nginx.ts';
import { freePorts } from '../test/parts/ports.ts';
import { until } from '../test/parts/until.ts';
import type { Bench, Case, Target } from './bench.ts';
import { openLoop } from './open-loop.ts';
import { startBenchSidecar } from './sidecar.ts';
import { percentile, round } from './statistics.ts';
import { atMost } from './target.ts';

const RATE = 500;
const SECONDS = 20;
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

type Measured = { kind: Kind; way: Way; requests: number; latenciesMs: number[]; failed: number };

export const origin: Bench = {
  about: `a sale of one item at ${RATE} views/s on an origin of 20 ms with 8 places: ours, plain, and the textbook's proxy_cache`,
  async run({ report, quick }) {
    const seconds = quick ? 4 : SECONDS;
    const build = await obtainNginx({ suite: 'trixie', report });
    const measured: Measured[] = [];
    for (const kind of KINDS) {
      for (const way of WAYS) {
        const one = await measure(build, kind, way, seconds);
        measured.push(one);
        report(
          `${kind}, ${way}: ${one.requests} requests to the origin, p99 ${percentile(one.latenciesMs, 0.99).toFixed(1)} ms`,
        );
      }
    }
    return {
      tables: [{ title: `${RATE} views/s of one item for ${seconds} s`, cases: measured.map(row) }],
      targets: targetsOf(measured),
      notes: [
        'Capture and detection run in all three. plain: without a cache. textbook: proxy_cache with lock, stale and background update, one second. Latency from when a view was due, less what the sender itself came late. The origin can make 400 pages a second: plain queues.',
      ],
    };
  },
};

async function measure(
  build: Awaited<ReturnType<typeof obtainNginx>>,
  kind: Kind,
  way: Way,
  seconds: number,
): Promise<Measured> {
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
    application.load();
    const { ownMs, failed } = await openLoop({ ...views, ratePerSecond: RATE, seconds });
    const { requests } = application.load();
    await idle(application);
    return { kind, way, requests, latenciesMs: ownMs, failed };
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

function row({ kind, way, requests, latenciesMs, failed }: Measured): Case {
  return {
    case: `${kind}, ${way}`,
    views: latenciesMs.length,
    origin_requests: requests,
    p50_ms: round(percentile(latenciesMs, 0.5), 1),
    p99_ms: round(percentile(latenciesMs, 0.99), 1),
    worst_ms: round(percentile(latenciesMs, 1), 1),
    failed,
  };
}

function targetsOf(measured: Measured[]): Target[] {
  const of = (kind: Kind, way: Way) => {
    const found = measured.find((one) => one.kind === kind && one.way === way);
    if (found === undefined) throw new Error(`${kind}, ${way} was not measured`);
    return { ...found, p99: percentile(found.latenciesMs, 0.99), worst: percentile(found.latenciesMs, 1) };
  };
  const [ours, plain] = [of('cacheable', 'ours'), of('cacheable', 'plain')];
  const fewer = round(plain.requests / Math.max(1, ours.requests), 0);
  return [
    {
      target: "cacheable: plain's requests to the origin, by ours ≥ 100",
      measured: fewer,
      reached: fewer >= 100,
    },
    atMost('cacheable: p99, ms', round(ours.p99, 2), 5),
    atMost("cacheable: worst, by plain's", round(ours.worst / plain.worst, 3), 1),
    atMost('cacheable: failed pages', ours.failed, 0),
    ...(['cookie', 'no-store'] as const).map((kind) =>
      atMost(`${kind}: p99, by plain's`, round(of(kind, 'ours').p99 / of(kind, 'plain').p99, 2), 1.05),
    ),
  ];
}
