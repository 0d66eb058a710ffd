import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareVersions } from '../nginx-setup/program/version.ts';
import { type NginxBuild, obtainNginx } from '../provision/nginx.ts';
import { OLDEST_NJS, type Suite } from '../provision/versions.ts';
import { ask } from '../test/integration/nginx-ask.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { until } from '../test/parts/until.ts';
import type { Bench, Case, Target } from './bench.ts';
import { measureLook } from './loop-look.ts';
import { renderOurs } from './ours.ts';
import { startBenchSidecar } from './sidecar.ts';
import { percentile, round } from './statistics.ts';
import { TRANSPORTS, type Transport } from './transports.ts';

const SUITES: Suite[] = ['bookworm', 'trixie', 'sid'];
/** p99, ms. */
const TO_REACH: Record<Transport['name'], number> = { subrequest: 50, batch: 350, log: 350 };
const TRIALS = 200;
/** Items that are brought to a view below the threshold at once: within the ten seconds that count, all of them are to be tried. */
const GROUP = 40;
/** Trials at once: what a transport waits for is waited for by all of them. */
const LANES = 4;
/** Of ten seconds. */
const THRESHOLD_VIEWS = 5;
const RULES = `cap: 1000
rules:
  - busy:
      enter_views_per_second: ${THRESHOLD_VIEWS / 10}
      leave_views_per_second: 0.01
`;
/** Longer than any transport delays a view. */
const SETTLE_MS = 700;
/** Longer than any transport waits between two turns: a trial begins at any moment of that. */
const OUT_OF_STEP_MS = 300;
const LOOK_EVERY_MS = 2;
const PATIENCE_MS = 20_000;

export const loop: Bench = {
  about:
    'from the view that crosses the threshold to an nginx that answers its item as hot; what the look costs nginx',
  async run({ report, quick }) {
    const builds = await Promise.all(SUITES.map((suite) => obtainNginx({ suite, report })));
    const trials = quick ? GROUP / 2 : TRIALS;
    const ways = builds.flatMap((build) =>
      TRANSPORTS.filter((transport) => has(build, transport)).map((transport) => ({ build, transport })),
    );
    const cases: Case[] = [];
    const targets: Target[] = [];
    for (const way of ways) {
      const name = `${way.transport.name}, nginx ${way.build.version}`;
      const { times, early } = await reactions(way, trials);
      const p99 = round(percentile(times, 0.99));
      cases.push({
        case: name,
        trials: times.length,
        early,
        p50_ms: round(percentile(times, 0.5)),
        p99_ms: p99,
        worst_ms: round(Math.max(...times)),
      });
      const limit = TO_REACH[way.transport.name];
      targets.push({ target: `${name}: p99 ≤ ${limit} ms`, measured: p99, reached: p99 <= limit });
      report(`${name}: p99 ${p99} ms`);
    }
    const look = await measureLook({ builds, quick, report });
    return {
      tables: [
        { title: 'from the view that crosses the threshold to the first page that is hot', cases },
        look.table,
      ],
      targets: [...targets, ...look.targets],
      notes: [
        `A view is sent at any moment, then its item's page is asked for every ${LOOK_EVERY_MS} ms until nginx says that it is hot. early: was hot before that view, and is not counted.`,
        ...look.notes,
      ],
    };
  },
};

type Way = { build: NginxBuild; transport: Transport };

function has(build: NginxBuild, { name }: Transport): boolean {
  return name !== 'batch' || hasSharedMemory(build);
}

function hasSharedMemory({ njs }: NginxBuild): boolean {
  return compareVersions(njs, OLDEST_NJS) >= 0;
}

function withoutSharedMemory({ http }: Transport): string[] {
  return http.filter((include) => include !== 'http-batch.conf');
}

/** ms of each trial. */
async function reactions(
  { build, transport }: Way,
  trials: number,
): Promise<{ times: number[]; early: number }> {
  const { path: folder, remove } = temporaryFolder('loop');
  const pages = join(folder, 'pages');
  mkdirSync(join(pages, 'item'), { recursive: true });
  for (let i = 0; i < trials; i++) writeFileSync(join(pages, 'item', `${i}.html`), 'page\n');
  // As on an installed host.
  const memory = temporaryFolder('loop', '/dev/shm');
  const hot = join(memory.path, 'hot');
  const rules = join(folder, 'rules.yml');
  writeFileSync(rules, RULES);
  const sidecar = await startBenchSidecar({
    home: join(folder, 'home'),
    env: { HOTITEM_HEAT_RULES: rules, HOTITEM_HEAT_DIR: hot },
  });
  const { socket, spill } = sidecar;
  const { port, start } = await renderOurs({
    build,
    engine: build.quickjs ? 'qjs' : 'njs',
    transport: hasSharedMemory(build) ? transport : { ...transport, http: withoutSharedMemory(transport) },
    folder: join(folder, 'nginx'),
    socket,
    spill,
    pages,
    hot,
  });
  const nginx = await start();
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  let early = 0;
  try {
    for (let first = 0; first < trials; first += GROUP) {
      const group = Array.from({ length: Math.min(GROUP, trials - first) }, (_, i) => first + i);
      for (const item of group) {
        for (let i = 1; i < THRESHOLD_VIEWS; i++) await view(item);
      }
      await sleep(SETTLE_MS);
      await Promise.all(Array.from({ length: LANES }, () => tryAll(group)));
    }
    return { times, early };
  } finally {
    agent.destroy();
    await nginx.quit();
    await sidecar.stop();
    memory.remove();
    remove();
  }

  /** Takes its items from what is left of the group. */
  async function tryAll(left: number[]): Promise<void> {
    for (let item = left.pop(); item !== undefined; item = left.pop()) {
      await sleep(Math.random() * OUT_OF_STEP_MS);
      if (await isHot(item)) early++;
      else times.push(await reaction(item));
    }
  }

  async function reaction(item: number): Promise<number> {
    const began = performance.now();
    await view(item);
    await until(() => isHot(item), {
      timeoutMs: PATIENCE_MS,
      everyMs: LOOK_EVERY_MS,
      what: `item ${item} to be hot`,
      detail: nginx.errorLog,
    });
    return performance.now() - began;
  }

  async function view(item: number): Promise<void> {
    const { status } = await ask({ port, agent, path: `/web/item/${item}.html`, headers: BROWSER });
    if (status !== 200) throw new Error(`nginx answers a view with ${status}`);
  }

  /** The page itself, which is not captured. */
  async function isHot(item: number): Promise<boolean> {
    const { headers } = await ask({ port, agent, path: `/item/${item}.html` });
    return headers['x-hotitem-hot'] === '1';
  }
}

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
