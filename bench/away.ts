import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NginxBuild, obtainNginx } from '../provision/nginx.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { awayOutcome, type Figures, type RunsOf, TIMEOUT_MS } from './away-outcome.ts';
import { createStates, type States } from './away-states.ts';
import type { Bench } from './bench.ts';
import { type Edge, MEASURED_PAGE, WARM_UP_PAGE } from './edge.ts';
import { type OpenLoop, openLoop } from './open-loop.ts';
import { renderOurs } from './ours.ts';
import { type BenchSidecar, startBenchSidecar } from './sidecar.ts';
import { percentile } from './statistics.ts';
import { TRANSPORTS } from './transports.ts';

const RATE = 500;
const WARM_UP_SECONDS = 1;
const ONSET_SECONDS = 1;
const LOOK_EVERY_MS = 100;
const QUIET_MS = 1_500;
// nginx asks a sidecar that was away again after 20 s; until then views wait in its zone.
const PATIENCE_MS = 40_000;

type Runs = RunsOf & { edge: Edge };

export const away: Bench = {
  about: `pages at ${RATE} views/s while the sidecar is down, hanging, slow, beside plain; nothing lost`,
  async run({ report, quick }) {
    const rounds = quick ? 1 : 3;
    const seconds = quick ? 8 : 20;
    const build = await obtainNginx({ suite: 'trixie', report });
    const { path: folder, remove } = temporaryFolder('away');
    const sidecar = await startBenchSidecar({ home: join(folder, 'home') });
    const socket = join(folder, 'line.sock');
    const states = await createStates({ sidecar, link: socket, slow: join(folder, 'slow.sock') });
    try {
      const runs = await renderRuns({ build, folder, socket, spill: sidecar.spill });
      for (let round = 1; round <= rounds; round++) {
        for (const run of runs) {
          await measure(run, seconds, states, async () => {
            const sent = runs.reduce((sum, one) => sum + one.sent, 0);
            await indexed(sidecar, sent);
          });
          report(`round ${round}: ${run.name}: p99 ${run.rounds.at(-1)?.p99.toFixed(2)} ms`);
        }
      }
      return awayOutcome({ runs, rate: RATE, seconds, indexed: await indexedViews(sidecar) });
    } finally {
      await states.end();
      states.close();
      await sidecar.stop();
      remove();
    }
  },
};

async function renderRuns(options: {
  build: NginxBuild;
  folder: string;
  socket: string;
  spill: string;
}): Promise<Runs[]> {
  const runs: Runs[] = [];
  const empty = () => ({ rounds: [], sent: 0, failed: 0 });
  const render = (transport: (typeof TRANSPORTS)[number] | undefined) =>
    renderOurs({
      ...options,
      transport,
      engine: 'njs',
      folder: join(options.folder, transport?.name ?? 'plain'),
    });
  runs.push({ name: 'plain rewrite', state: 'up', edge: await render(undefined), ...empty() });
  for (const transport of TRANSPORTS) {
    const edge = await render(transport);
    for (const state of ['down', 'hanging', 'slow'] as const) {
      runs.push({ name: `${transport.name}, sidecar ${state}`, state, edge, ...empty() });
    }
  }
  return runs;
}

async function measure(
  run: Runs,
  seconds: number,
  states: States,
  arrived: () => Promise<void>,
): Promise<void> {
  const { edge, state } = run;
  await states.prepare(state);
  const nginx = await edge.start();
  const views = { port: edge.port, ratePerSecond: RATE };
  try {
    await openLoop({ ...views, path: WARM_UP_PAGE, seconds: WARM_UP_SECONDS });
    await states.begin(state);
    const measured = await openLoop({ ...views, path: MEASURED_PAGE, seconds });
    await states.end();
    run.sent += state === 'up' ? 0 : measured.latenciesMs.length - measured.failed;
    run.failed += measured.failed;
    run.rounds.push(figuresOf(measured));
    await arrived();
  } finally {
    await states.end();
    await nginx.quit();
  }
}

function figuresOf({ latenciesMs, latenessMs }: OpenLoop): Figures {
  const stalled = (from: number, to?: number) =>
    latenciesMs.slice(from, to).filter((one) => one > TIMEOUT_MS / 2).length;
  return {
    p50: percentile(latenciesMs, 0.5),
    p99: percentile(latenciesMs, 0.99),
    worst: percentile(latenciesMs, 1),
    late: percentile(latenessMs, 0.99),
    stalledAtOnset: stalled(0, ONSET_SECONDS * RATE),
    stalledLater: stalled(ONSET_SECONDS * RATE),
  };
}

/** Waits until that many views are in the index and no more come, or for long: what is missing then is lost. */
async function indexed(sidecar: BenchSidecar, views: number): Promise<void> {
  let seen = -1;
  let since = performance.now();
  while (performance.now() - since < (seen >= views ? QUIET_MS : PATIENCE_MS)) {
    const now = await indexedViews(sidecar);
    if (now !== seen || !(await sidecar.isDrained())) since = performance.now();
    seen = now;
    await sleep(LOOK_EVERY_MS);
  }
}

async function indexedViews(sidecar: BenchSidecar): Promise<number> {
  const { items } = await sidecar.json<{ items: { item: string; all: number }[] }>(
    '/api/v1/items?window=1h&limit=10&rank=all',
  );
  const measured = /(\d+)\.html$/.exec(MEASURED_PAGE)?.[1];
  return items.find(({ item }) => item === measured)?.all ?? 0;
}
