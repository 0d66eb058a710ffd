import { temporaryFolder } from '../test/parts/guard.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { runBundled } from './bundled.ts';
import type { LineMeasured, LinesOptions, LineWay } from './heat-lines.ts';
import type { ViewsMeasured, ViewsOptions } from './heat-views.ts';
import { median, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';

const MILLION = 1_000_000;
const WAYS: LineWay[] = ['without', 'hashed', 'withHeat'];

/** CPU time per line in one round, µs. */
type LinesMeasured = Record<LineWay | 'parse', number>;

export const heat: Bench = {
  about:
    'views a second that heat detection observes on one core, its longest tick, and what it adds to a line',
  async run({ report, quick }) {
    const views = quick ? MILLION : 4 * MILLION;
    const rounds = quick ? 1 : 5;
    const measured = new Map<number, ViewsMeasured[]>();
    for (const items of [1_000, 100_000, MILLION]) {
      const options: ViewsOptions = { items, views };
      const runs = await repeated(rounds, () => runBundled<ViewsMeasured>('heat-views.ts', options));
      measured.set(items, runs);
      report(JSON.stringify(viewsRow(items, runs)));
    }
    const lines = new Map<string, LinesMeasured[]>();
    const { path: home, remove } = temporaryFolder('heat');
    for (const ip of ['full', 'truncate'] as const) {
      const options = { home, items: MILLION, ip, requests: quick ? 350 : 600 };
      const runs = await repeated(rounds, () => measureLines(options));
      lines.set(ip, runs);
      report(JSON.stringify(linesRow(ip, runs)));
    }
    remove();
    const all = [...measured.values()].flat();
    const atMillion = measured.get(MILLION) ?? [];
    return {
      tables: [
        {
          title: 'views a second of CPU time, 150,000/s by their own time, Zipf 1.0, 200,000 visitors',
          cases: [...measured].map(([items, runs]) => viewsRow(items, runs)),
        },
        {
          title: 'CPU of a line in ingestion, a million items, without the writing',
          cases: [...lines].map(([ip, runs]) => linesRow(ip, runs)),
        },
      ],
      targets: [
        atLeast('million views a second at a million items', middle(atMillion, 'perCpuSecond') / 1e6, 2, 2),
        atMost('longest tick, ms of CPU', Math.max(...all.map(({ longestTickMs }) => longestTickMs)), 10),
        atMost('tables, MB', Math.max(...all.map(({ bytes }) => bytes)) / 1e6, 32, 1),
        ...[...lines].map(([ip, runs]) =>
          atMost(`privacy.ip ${ip}: CPU added to a line, us`, added(runs), 0.8),
        ),
      ],
      notes: [
        `scavenges: collections of garbage in ${views.toLocaleString('en')} views: the ticks' and decisions' own, none for a view.`,
        'map_of_strings: only counts the items of the same stream, in a Map, with a new string for each view as a parser makes it.',
        'Each run is a process of its own, with one detector and one way to ingest, as a sidecar has them.',
        'hash_us: of the added CPU, what takes item, visitor and the rest from the bytes of the line. The added CPU is the median of the differences of runs that follow one another.',
      ],
    } satisfies Outcome;
  },
};

async function repeated<Result>(rounds: number, measure: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measure());
  return results;
}

async function measureLines(options: Omit<LinesOptions, 'way'>): Promise<LinesMeasured> {
  const found: LinesMeasured = { without: 0, hashed: 0, withHeat: 0, parse: 0 };
  for (const way of WAYS) {
    const { line, parse } = await runBundled<LineMeasured>('heat-lines.ts', { ...options, way });
    found[way] = line;
    found.parse = parse;
  }
  return found;
}

function viewsRow(items: number, runs: ViewsMeasured[]): Case {
  const perSecond = middle(runs, 'perCpuSecond');
  return {
    case: `${items.toLocaleString('en')} items`,
    million_views_per_s: round(perSecond / 1e6, 2),
    us_a_view: round(1e6 / perSecond, 2),
    times_json_parse: round(perSecond / middle(runs, 'parsedPerCpuSecond'), 1),
    map_of_strings_million_per_s: round(middle(runs, 'mapPerCpuSecond') / 1e6, 2),
    longest_tick_ms: round(Math.max(...runs.map(({ longestTickMs }) => longestTickMs)), 1),
    scavenges: middle(runs, 'scavenges'),
    tables_mb: round((runs[0]?.bytes ?? 0) / 1e6, 1),
  };
}

function linesRow(ip: string, runs: LinesMeasured[]): Case {
  const parse = median(runs.map((run) => run.parse));
  return {
    case: `privacy.ip: ${ip}`,
    without_us: round(median(runs.map(({ without }) => without)), 2),
    with_heat_us: round(median(runs.map(({ withHeat }) => withHeat)), 2),
    added_us: round(added(runs), 2),
    hash_us: round(median(runs.map(({ hashed, without }) => hashed - without)), 2),
    json_parse_us: round(parse, 2),
    added_of_json_parse: round(added(runs) / parse, 2),
  };
}

function added(runs: LinesMeasured[]): number {
  return median(runs.map(({ withHeat, without }) => withHeat - without));
}

function middle(runs: ViewsMeasured[], key: keyof ViewsMeasured): number {
  return median(runs.map((run) => run[key]));
}
