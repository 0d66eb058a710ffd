import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createHotFolder } from '../heat/hot-folder.ts';
import type { NginxBuild } from '../provision/nginx.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { obtainWrk } from '../test/provision/wrk.ts';
import type { BenchOptions, Case, Table, Target } from './bench.ts';
import type { Edge } from './edge.ts';
import { renderOurs } from './ours.ts';
import { sample } from './sample.ts';
import { median, round } from './statistics.ts';
import { TRANSPORTS } from './transports.ts';

/** CPU time of a worker, µs per view. */
const TO_REACH_US = 1.5;
/** The folder of the hot list is in memory, as on an installed host. */
const IN_MEMORY = '/dev/shm';
const TICK_MS = 100;

/** `stat`: asks the system for a file that is not there, in the same file system, and does nothing else. */
const WAYS = ['without', 'stat', 'with'] as const;
type Way = (typeof WAYS)[number];
type Trio = { build: NginxBuild; edges: Record<Way, Edge>; costs: Record<Way, number[]> };

/** What nginx spends on the look for an item that is cold, as nearly all are: each round one run of each way. */
export async function measureLook({
  builds,
  quick,
  report,
}: Pick<BenchOptions, 'quick' | 'report'> & { builds: NginxBuild[] }): Promise<{
  table: Table;
  targets: Target[];
  notes: string[];
}> {
  const wrk = await obtainWrk(report);
  const [rounds, seconds] = quick ? [1, 1] : [4, 2];
  const { path: folder, remove } = temporaryFolder('look');
  const memory = temporaryFolder('look', IN_MEMORY);
  const hot = createHotFolder({ dir: join(memory.path, 'hot'), now: Date.now, warn: () => {} });
  hot.update([{ item: 'another', actions: [] }]);
  const ticking = setInterval(hot.tick, TICK_MS);
  try {
    const trios = await Promise.all(builds.map(trioOf));
    for (let round = 1; round <= rounds; round++) {
      for (const { edges, costs } of trios) for (const way of WAYS) costs[way].push(await costOf(edges[way]));
      report(`round ${round} of ${rounds}: the look`);
    }
    const cases = trios.map(({ build, costs }): Case => {
      const added = (way: Way) =>
        median(costs[way].map((cost, i) => cost - (costs.without[i] ?? Number.NaN)));
      return {
        case: `nginx ${build.version}`,
        without_us: round(median(costs.without), 2),
        with_us: round(median(costs.with), 2),
        look_us: round(added('with'), 2),
        stat_alone_us: round(added('stat'), 2),
      };
    });
    return {
      table: { title: 'nginx CPU a view, captured by log, with and without the look', cases },
      targets: cases.map((one) => ({
        target: `${one.case}: the look ≤ ${TO_REACH_US} µs a view`,
        measured: Number(one.look_us),
        reached: Number(one.look_us) <= TO_REACH_US,
      })),
      notes: [
        'look_us: the median of the differences of runs that follow one another. stat_alone_us: the same for an nginx that only asks for a file that is not there: what this machine takes for that.',
      ],
    };
  } finally {
    clearInterval(ticking);
    hot.stop();
    memory.remove();
    remove();
  }

  async function trioOf(build: NginxBuild): Promise<Trio> {
    const at = join(folder, build.version);
    const spill = join(at, 'spill');
    mkdirSync(spill, { recursive: true });
    const common = {
      build,
      engine: 'njs' as const,
      transport: TRANSPORTS.find(({ name }) => name === 'log'),
      socket: join(memory.path, 'intake.sock'),
      spill,
    };
    const stat = `if (-f "${join(memory.path, 'hot', 'none')}") { set $bench_there 1; }`;
    return {
      build,
      edges: {
        without: await renderOurs({ ...common, folder: join(at, 'without') }),
        stat: await renderOurs({ ...common, folder: join(at, 'stat'), inServer: stat }),
        with: await renderOurs({ ...common, folder: join(at, 'with'), hot: join(memory.path, 'hot') }),
      },
      costs: { without: [], stat: [], with: [] },
    };
  }

  async function costOf(edge: Edge): Promise<number> {
    const { nginxCpu, views } = await sample({ edge, wrk, seconds });
    return nginxCpu / views;
  }
}
