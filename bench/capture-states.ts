import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NginxBuild } from '../provision/nginx.ts';
import { type Chain, startChain } from '../test/integration/chain.ts';
import { until } from '../test/parts/until.ts';
import type { Case, Table, Target } from './bench.ts';
import { cpuMicroseconds } from './cpu.ts';
import { median, round } from './statistics.ts';
import { atMost } from './target.ts';
import { type Load, load } from './wrk.ts';

const WARM_UP_SECONDS = 2;
const CONNECTIONS = 32;
const PLAIN = '/plain/item/1.html';
const CAPTURED = '/web/item/1.html';
const DRAIN_MS = 120_000;

type Sample = Load & { nginxCpu: number; sidecarCpu: number };
type State = { name: string; path: string; begin?: () => unknown; end?: () => unknown };

export type StatesOptions = {
  build: NginxBuild;
  wrk: string[];
  rounds: number;
  seconds: number;
  report: (line: string) => void;
};

/** One nginx worker under all the load it takes: a plain rewrite, and `subrequest` with the sidecar up, hanging and down. */
export async function runStates(
  options: StatesOptions,
): Promise<{ table: Table; targets: Target[]; notes: string[] }> {
  const chain = await startChain({ build: options.build, workers: 1 });
  try {
    await addPlainLocation(chain);
    return await measure(chain, options);
  } finally {
    await chain.close();
  }
}

async function measure(chain: Chain, { wrk, rounds, seconds, report }: StatesOptions) {
  const { sidecar } = chain;
  const states: State[] = [
    { name: 'plain rewrite', path: PLAIN },
    { name: 'subrequest, sidecar up', path: CAPTURED },
    { name: 'subrequest, sidecar hanging', path: CAPTURED, begin: sidecar.pause, end: sidecar.resume },
    { name: 'subrequest, sidecar down', path: CAPTURED, begin: sidecar.kill, end: sidecar.start },
  ];
  const samples = new Map(states.map(({ name }) => [name, [] as Sample[]]));
  for (const path of [PLAIN, CAPTURED]) await loadOn(chain, wrk, path.replace('/1.', '/2.'), WARM_UP_SECONDS);
  for (let round = 1; round <= rounds; round++) {
    for (const state of states) {
      const sample = await sampleOf(chain, { wrk, seconds, state });
      samples.get(state.name)?.push(sample);
      report(`round ${round}: ${state.name}: ${Math.round(sample.views / sample.seconds)} views/s`);
    }
  }
  return outcome(samples, await indexedViews(chain));
}

function outcome(samples: Map<string, Sample[]>, indexed: number) {
  const cases = [...samples].map(([name, list]): Case => {
    const of = (figure: (sample: Sample) => number) => median(list.map(figure));
    return {
      case: name,
      views_per_s: Math.round(of(({ views, seconds }) => views / seconds)),
      p50_ms: round(
        of(({ p50Ms }) => p50Ms),
        2,
      ),
      p99_ms: round(
        of(({ p99Ms }) => p99Ms),
        2,
      ),
      worst_ms: round(of(({ worstMs }) => worstMs)),
      nginx_cpu_us_per_view: round(of(({ nginxCpu, views }) => nginxCpu / views)),
      sidecar_cpu_us_per_view: round(of(({ sidecarCpu, views }) => sidecarCpu / views)),
      failed_pages: list.reduce((sum, { failed }) => sum + failed, 0),
    };
  });
  const failed = cases.reduce((sum, { failed_pages }) => sum + Number(failed_pages), 0);
  const answered = [...samples].filter(([name]) => name !== 'plain rewrite').flatMap(([, list]) => list);
  const views = answered.reduce((sum, sample) => sum + sample.views, 0);
  // wrk counts a view when its page has come; those that it abandons at the end of a run are captured all the same.
  const missing = Math.max(0, views - indexed);
  return {
    table: { title: 'subrequest under saturation, to the embedded index: sidecar up, hanging, down', cases },
    targets: [
      atMost('failed pages, sidecar up, hanging and down', failed, 0),
      atMost('views not delivered, sidecar up, hanging and down', missing, 0),
    ],
    notes: [
      `Captured and answered: ${views.toLocaleString('en')} views; in the index: ${indexed.toLocaleString('en')}.`,
      "The sidecar's CPU includes everything up to the embedded index, and after an absence what was spilled.",
    ],
  };
}

async function sampleOf(
  chain: Chain,
  { wrk, seconds, state }: { wrk: string[]; seconds: number; state: State },
): Promise<Sample> {
  const { path, begin, end } = state;
  const workers = await chain.nginx.workers();
  const pid = chain.sidecar.pid();
  const sidecarBefore = cpuMicroseconds([pid]);
  await begin?.();
  const nginxBefore = cpuMicroseconds(workers);
  const result = await loadOn(chain, wrk, path, seconds);
  const nginxCpu = cpuMicroseconds(workers) - nginxBefore;
  await end?.();
  await drained(chain);
  const same = chain.sidecar.pid() === pid;
  return {
    ...result,
    nginxCpu,
    sidecarCpu: cpuMicroseconds([chain.sidecar.pid()]) - (same ? sidecarBefore : 0),
  };
}

function loadOn(chain: Chain, wrk: string[], path: string, seconds: number): Promise<Load> {
  return load({ wrk, url: `http://127.0.0.1:${chain.port}${path}`, connections: CONNECTIONS, seconds });
}

/** Waits until all that was captured or spilled is in the index. */
async function drained({ sidecar, accounts }: Chain): Promise<void> {
  const done = async () =>
    (await sidecar.metric('hotitem_spill_waiting_bytes')) === 0 && (await accounts()).sidecar?.waiting === 0;
  // Twice: what the tail is just taking in is in neither.
  const settled = async () => (await done()) && (await sleep(1_000, true)) && (await done());
  await until(settled, {
    timeoutMs: DRAIN_MS,
    everyMs: 100,
    what: 'the spill folder and the spool to be empty',
  });
}

async function indexedViews({ sidecar }: Chain): Promise<number> {
  const { items } = await sidecar.json<{ items: { item: string; all: number }[] }>(
    '/api/v1/items?window=1h&limit=10&rank=all',
  );
  return items.find(({ item }) => item === '1')?.all ?? 0;
}

/** The same redirect without capture, in the same nginx. */
async function addPlainLocation(chain: Chain): Promise<void> {
  const path = join(chain.home, 'nginx/nginx.conf');
  const text = await readFile(path, 'utf8');
  const plain = 'location /plain/item/ {\n rewrite ^/plain(/item/.*)$ $1 last;\n }\n location /web/item/ {';
  await writeFile(path, text.replace('location /web/item/ {', plain));
  await chain.nginx.reload();
}
