import { availableParallelism } from 'node:os';
import type { NginxEngine } from '../nginx-setup/includes.ts';
import type { Case, Table, Target } from './bench.ts';
import type { Contender } from './contenders.ts';
import type { Sample } from './sample.ts';
import { median, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';

export type Delivery = {
  /** Records that Kafka acknowledged, and how many different events they are. */
  records: number;
  distinct: number;
  /** From the end of the load to the last acknowledgement. */
  behindMs: number;
};

export type ChainSample = Sample & Delivery;

/** A contender and what its rounds gave. */
export type Runs<Kind> = { contender: Contender; samples: Kind[] };

const BUSY_PCT = 90;

/** The first table: medians over the rounds. */
export function aloneTable(runs: Runs<Sample>[]): Table {
  const lua = cpuPerView(luaOf(runs));
  return { title: 'nginx alone: no sidecar beside it', cases: runs.map((run) => aloneRow(run, lua)) };
}

function aloneRow({ contender, samples }: Runs<Sample>, luaCpu: number): Case {
  return {
    case: contender.name,
    nginx_cpu_us_per_view: round(cpuPerView(samples)),
    cpu_by_lua: round(cpuPerView(samples) / luaCpu, 2),
    views_per_s: Math.round(viewsPerSecond(samples)),
    p99_ms: round(median(samples.map(({ p99Ms }) => p99Ms)), 2),
    nginx_rss_mb: round(median(samples.map(({ rssMb }) => rssMb))),
    zones_mb: round(median(samples.map(({ zonesMb }) => zonesMb))),
    failed_pages: sum(samples.map(({ failed }) => failed)),
  };
}

/** The runs of the whole chain with one setting of the sidecar. */
export type Chain = { setting: string; runs: Runs<ChainSample>[] };

/** What is not delivered is counted over all rounds. */
export function chainTable({ setting, runs }: Chain, to: string): Table {
  const lua = viewsPerSecond(luaOf(runs));
  return {
    title: `the whole chain, to ${to}; sidecar: ${setting}`,
    cases: runs.map((run) => chainRow(run, lua)),
  };
}

function chainRow({ contender, samples }: Runs<ChainSample>, luaRate: number): Case {
  const of = (figure: (sample: ChainSample) => number) => median(samples.map(figure));
  const delivers = contender.what !== 'plain';
  const busy = {
    nginx: of(({ nginxCpu, wallMs }) => nginxCpu / wallMs / 10),
    sidecar: of(({ besideCpu, wallMs }) => besideCpu / wallMs / 10),
    machine: of(({ machineCpu, wallMs }) => machineCpu / wallMs / 10),
  };
  return {
    case: contender.name,
    views_per_s: Math.round(viewsPerSecond(samples)),
    rate_by_lua: round(viewsPerSecond(samples) / luaRate, 2),
    ...(delivers && {
      delivered_per_s: Math.round(
        of(({ distinct, seconds, behindMs }) => distinct / (seconds + behindMs / 1000)),
      ),
      behind_s: round(of(({ behindMs }) => behindMs / 1000)),
      views: sum(samples.map(({ views }) => views)),
      delivered: sum(samples.map(({ distinct }) => distinct)),
      not_delivered: notDelivered(samples),
      twice: sum(samples.map(({ records, distinct }) => records - distinct)),
    }),
    bound_by: boundBy(busy),
    nginx_busy_pct: Math.round(busy.nginx),
    sidecar_busy_pct: Math.round(busy.sidecar),
    machine_busy_pct: Math.round(busy.machine),
    nginx_cpu_us_per_view: round(cpuPerView(samples)),
    nginx_rss_mb: round(of(({ rssMb }) => rssMb)),
    zones_mb: round(of(({ zonesMb }) => zonesMb)),
    failed_pages: sum(samples.map(({ failed }) => failed)),
  };
}

export function aloneTargets(alone: Runs<Sample>[]): Target[] {
  const lua = cpuPerView(luaOf(alone));
  return [
    worst('log', undefined, 0.75),
    worst('batch', 'qjs', 1),
    worst('batch', 'njs', 1.15),
    worst('subrequest', undefined, 1.4),
    failedPages('nginx alone', alone),
  ];

  /** Of the nginx versions and engines that match, the one that costs most. */
  function worst(what: Contender['what'], engine: NginxEngine | undefined, limit: number): Target {
    const figures = matching(alone, what, engine).map(({ samples }) => cpuPerView(samples) / lua);
    const label = `nginx CPU per view, ${what}${engine ? ` (${engine})` : ''}, by the Lua's`;
    return atMost(label, figures.length === 0 ? Number.NaN : Math.max(...figures), limit);
  }
}

export function chainTargets({ setting, runs }: Chain): Target[] {
  const lua = viewsPerSecond(luaOf(runs));
  const ours = runs.filter(({ contender }) => contender.what !== 'plain' && contender.what !== 'article');
  const lost = sum(ours.map(({ samples }) => notDelivered(samples)));
  return [
    worst('log', 1.2),
    worst('batch', 0.9),
    worst('subrequest', 0.5),
    atMost(`views that ours did not deliver (${setting})`, lost, 0),
    failedPages(setting, runs),
  ];

  function worst(what: Contender['what'], limit: number): Target {
    const figures = matching(runs, what).map(({ samples }) => viewsPerSecond(samples) / lua);
    const label = `whole chain (${setting}), views/s, ${what}, by the Lua's`;
    return atLeast(label, figures.length === 0 ? Number.NaN : Math.min(...figures), limit);
  }
}

function failedPages(where: string, runs: Runs<Sample>[]): Target {
  const failed = sum(runs.flatMap(({ samples }) => samples.map((one) => one.failed)));
  return atMost(`failed pages (${where})`, failed, 0);
}

/** What keeps it from more, by the share of a core (of all cores) that each uses. */
function boundBy({ nginx, sidecar, machine }: Record<'nginx' | 'sidecar' | 'machine', number>): string {
  if (nginx > BUSY_PCT) return 'nginx worker';
  if (machine > BUSY_PCT * availableParallelism()) return sidecar > nginx ? 'cores (sidecar)' : 'cores';
  return sidecar > BUSY_PCT ? 'sidecar' : 'waiting';
}

function luaOf<Kind>(runs: Runs<Kind>[]): Kind[] {
  return runs.find(({ contender }) => contender.what === 'article')?.samples ?? [];
}

function matching<Kind>(runs: Runs<Kind>[], what: Contender['what'], engine?: NginxEngine): Runs<Kind>[] {
  return runs.filter(
    ({ contender }) => contender.what === what && (engine === undefined || contender.engine === engine),
  );
}

function cpuPerView(samples: Sample[]): number {
  return median(samples.map(({ nginxCpu, views }) => nginxCpu / views));
}

function viewsPerSecond(samples: Sample[]): number {
  return median(samples.map(({ views, seconds }) => views / seconds));
}

// wrk counts a view when its page has come; those that it abandons at the end of a run are captured all the same.
function notDelivered(samples: ChainSample[]): number {
  return sum(samples.map(({ views, distinct }) => Math.max(0, views - distinct)));
}

function sum(values: number[]): number {
  return values.reduce((all, one) => all + one, 0);
}
