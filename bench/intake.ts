import { join } from 'node:path';
import { temporaryFolder } from '../test/parts/guard.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { cpuMicroseconds, machineMicroseconds } from './cpu.ts';
import { startIdleSidecar } from './idle-sidecar.ts';
import { parsedPerCpuSecond } from './json-parse.ts';
import { sendLines } from './line-sender.ts';
import { watchMemory } from './memory.ts';
import { sampleEvents } from './sample-events.ts';
import { median, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';

const NO_HEAT = { HOTITEM_HEAT_ENABLED: 'false' };
const TRUNCATED = { HOTITEM_PRIVACY_IP: 'truncate' };
const BATCHED = { connections: 4, linesARequest: 1_000 };

/** As nginx does it: `subrequest` with an event a request, `batch` with up to 1,000. `target`: of `JSON.parse`. */
const SHAPES: Shape[] = [
  {
    name: 'one event a request, no heat',
    connections: 64,
    linesARequest: 1,
    settings: NO_HEAT,
    target: 0.045,
  },
  { name: '1,000 events a request, no heat', ...BATCHED, settings: NO_HEAT, target: 0.45 },
  {
    name: '1,000, no heat, addresses truncated',
    ...BATCHED,
    settings: { ...NO_HEAT, ...TRUNCATED },
    target: 0.45,
  },
  { name: '1,000 events a request', ...BATCHED, settings: {}, target: 0.35 },
  { name: '1,000, addresses truncated', ...BATCHED, settings: TRUNCATED, target: 0.35 },
];
/** Different events that `JSON.parse` is measured with. */
const PARSED_EVENTS = 5_000;
const WARM_UP_SECONDS = 2;

type Shape = {
  name: string;
  connections: number;
  linesARequest: number;
  settings: Record<string, string>;
  target: number;
};

type Sample = {
  eventsPerSecond: number;
  cpuPerMillion: number;
  /** Events in a second of the sidecar's CPU time, by those that `JSON.parse` reads in one. */
  ofParse: number;
  parsePerMillion: number;
  busyPercent: number;
  senderBusyPercent: number;
  machinePercent: number;
  rssMb: number;
  failed: number;
};

type Runs = { shape: Shape; samples: Sample[] };

export const intake: Bench = {
  about:
    'lines into the spool over the unix socket, with heat detection and without: events/s, CPU and memory',
  async run({ report, quick }) {
    const rounds = quick ? 1 : 5;
    const seconds = quick ? 2 : 5;
    const runs = SHAPES.map((shape): Runs => ({ shape, samples: [] }));
    const events = sampleEvents(PARSED_EVENTS);
    for (let round = 1; round <= rounds; round++) {
      for (const { shape, samples } of runs) {
        const one = await measure(shape, seconds, events);
        samples.push(one);
        report(
          `round ${round}: ${shape.name}: ${Math.round(one.eventsPerSecond)} events/s, ${ofParse(one)} of JSON.parse`,
        );
      }
    }
    return outcome(runs);
  },
};

function ofParse({ ofParse }: Sample): number {
  return round(ofParse, 3);
}

/** One run: a fresh sidecar with an empty spool, warmed up. */
async function measure(
  { connections, linesARequest, settings }: Shape,
  seconds: number,
  events: string[],
): Promise<Sample> {
  const { path: home, remove } = temporaryFolder('intake');
  const sidecar = await startIdleSidecar(home, settings);
  const load = { socket: join(home, 'run/intake.sock'), connections, linesARequest };
  try {
    await sendLines({ ...load, seconds: WARM_UP_SECONDS });
    const parsePerSecond = parsedPerCpuSecond(events);
    const memory = watchMemory(sidecar.pid());
    const before = { ours: cpuMicroseconds([sidecar.pid()]), all: machineMicroseconds() };
    const began = performance.now();
    const sent = await sendLines({ ...load, seconds });
    const wallMs = performance.now() - began;
    const cpu = cpuMicroseconds([sidecar.pid()]) - before.ours;
    return {
      eventsPerSecond: sent.events / sent.seconds,
      cpuPerMillion: cpu / sent.events,
      ofParse: (1e6 * sent.events) / cpu / parsePerSecond,
      parsePerMillion: 1e6 / parsePerSecond,
      busyPercent: cpu / 10_000 / sent.seconds,
      senderBusyPercent: (100 * sent.cpuSeconds) / sent.seconds,
      machinePercent: (machineMicroseconds() - before.all) / 10 / wallMs,
      rssMb: (await memory.stop()).rssMb,
      failed: sent.refused + sent.failed,
    };
  } finally {
    await sidecar.kill();
    remove();
  }
}

function outcome(runs: Runs[]): Outcome {
  const rss = Math.max(...runs.flatMap(({ samples }) => samples.map(({ rssMb }) => rssMb)));
  return {
    tables: [{ title: 'ingested and spooled, one Node process (medians)', cases: runs.map(row) }],
    targets: [
      ...runs.map(({ shape, samples }) =>
        atLeast(`${shape.name}: of JSON.parse, per CPU second`, ofParse(middle(samples)), shape.target, 3),
      ),
      atMost('RSS, MB', round(rss), 150),
    ],
    notes: [
      'cpu_s_per_million: user and system, of the sidecar. busy_pct: of one core; machine: of all, whoever uses them.',
      'The sidecar runs with NODE_OPTIONS=--max-semi-space-size=4, as its service and docker-compose.yml set it.',
      'of_json_parse: events in a CPU second of the sidecar, by the same events that JSON.parse reads in one, measured in the same round.',
      'The sidecar needs a core of its own for these figures: with fewer free ones the CPU seconds are what counts.',
    ],
  };
}

function row({ shape, samples }: Runs): Case {
  const one = middle(samples);
  return {
    case: shape.name,
    events_per_s: Math.round(one.eventsPerSecond),
    cpu_s_per_million: round(one.cpuPerMillion, 2),
    json_parse_s_per_million: round(one.parsePerMillion, 2),
    of_json_parse: ofParse(one),
    rss_mb: round(one.rssMb),
    busy_pct: Math.round(one.busyPercent),
    sender_busy_pct: Math.round(one.senderBusyPercent),
    machine_busy_pct: Math.round(one.machinePercent),
    failed: samples.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function middle(samples: Sample[]): Sample {
  const of = (key: keyof Sample) => median(samples.map((one) => one[key]));
  return {
    eventsPerSecond: of('eventsPerSecond'),
    cpuPerMillion: of('cpuPerMillion'),
    ofParse: of('ofParse'),
    parsePerMillion: of('parsePerMillion'),
    busyPercent: of('busyPercent'),
    senderBusyPercent: of('senderBusyPercent'),
    machinePercent: of('machinePercent'),
    rssMb: of('rssMb'),
    failed: of('failed'),
  };
}
