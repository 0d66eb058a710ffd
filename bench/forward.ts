import { execFile } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createKafkajsClient } from '../store/kafka/kafkajs/kafkajs.ts';
import { openSpool } from '../store/spool/spool.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { type KafkaPart, startKafka } from '../test/parts/kafka.ts';
import { freePort } from '../test/parts/ports.ts';
import { type Service, startService } from '../test/parts/service.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { cpuMicroseconds, machineMicroseconds } from './cpu.ts';
import { watchMemory } from './memory.ts';
import { median, round } from './statistics.ts';
import { atLeast } from './target.ts';

type Way = {
  name: string;
  client: 'kafkajs' | 'platformatic';
  headers: 'event' | 'row';
  compression?: 'none';
  /** A part of what the client's own producer does with the same records, its messages lying ready. */
  target?: number;
};

const WAYS: Way[] = [
  { name: 'kafkajs', client: 'kafkajs', headers: 'event', target: 0.9 },
  { name: 'platformatic', client: 'platformatic', headers: 'event', target: 0.9 },
  { name: 'kafkajs, headers on rows', client: 'kafkajs', headers: 'row', target: 0.9 },
  { name: 'platformatic, headers on rows', client: 'platformatic', headers: 'row', target: 0.9 },
  { name: 'kafkajs, not compressed', client: 'kafkajs', headers: 'event', compression: 'none' },
  { name: 'platformatic, not compressed', client: 'platformatic', headers: 'event', compression: 'none' },
];
const EVENTS = { quick: 200_000, full: 1_000_000 };
/** Of these, forwarded before the measurement begins. */
const WARM_UP = 0.25;
const GROUP = 1_000;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 120_000;
const PARTITIONS = 6;
const TOPIC = 'collection_hot_item';
/** Events that a bare producer sends over and over. */
const READY_EVENTS = 100_000;

type Sample = {
  eventsPerSecond: number;
  cpuPerEvent: number;
  machineCpuPerEvent: number;
  busyPercent: number;
  rssMb: number;
};

/** What the client does by itself. */
type Bare = Pick<Sample, 'eventsPerSecond' | 'cpuPerEvent' | 'busyPercent'>;

type Runs = { way: Way; samples: Sample[]; bare: Bare[] };

type Moment = { at: number; delivered: number; cpu: number; machine: number };

export const forward: Bench = {
  about:
    'spool to Kafka, acknowledged by all replicas, with both clients: events/s, CPU and memory of the sidecar',
  async run({ report, quick }) {
    const { path: folder, remove } = temporaryFolder('forward');
    const kafka = await startKafka({ brokers: 1 });
    try {
      const events = quick ? EVENTS.quick : EVENTS.full;
      const bytes = await fill(join(folder, 'full'), events);
      report(`${kafka.describe}; ${events} events of ${Math.round(bytes)} bytes in the spool`);
      await makeTopic(kafka);
      const runs = WAYS.map((way): Runs => ({ way, samples: [], bare: [] }));
      const ready = join(folder, 'ready.ndjson');
      await writeFile(ready, Array.from({ length: READY_EVENTS }, (_, i) => `${eventLine(i)}\n`).join(''));
      for (let round = 1; round <= (quick ? 1 : 3); round++) {
        for (const { way, samples, bare } of runs) {
          const one = await measure({ folder, events, way, kafka });
          samples.push(one);
          if (way.target !== undefined) bare.push(await measureBare({ ready, events, way, kafka }));
          const beside = bare.at(-1) ? `, the bare producer ${rate(bare)}` : '';
          report(`round ${round}: ${way.name}: ${rate([one])} events/s${beside}`);
        }
      }
      return outcome(runs, bytes);
    } finally {
      await kafka.close();
      remove();
    }
  },
};

/** A spool as a sidecar leaves it behind. Returns the mean size of an event. */
async function fill(home: string, events: number): Promise<number> {
  await mkdir(home, { recursive: true });
  const spool = await openSpool({
    dir: join(home, 'spool'),
    maxBytes: 8 * 1024 ** 3,
    fsync: 'never',
    cursors: ['kafka'],
  });
  let bytes = 0;
  for (let from = 0; from < events; from += GROUP) {
    const lines = Array.from({ length: GROUP }, (_, i) => eventLine(from + i));
    bytes += lines.reduce((sum, line) => sum + line.length, 0);
    await spool.appendLines(lines);
  }
  await spool.close();
  return bytes / events;
}

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)',
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0',
];

/** As different from its neighbours as real ones are: what is random in them does not compress. */
function eventLine(i: number): string {
  const time = 1_795_355_712_163 + i;
  const random = Array.from({ length: 20 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  const item = String(Math.floor(Math.random() ** 3 * 9_000) + 1);
  return JSON.stringify({
    v: 1,
    id: `${time.toString(16).padStart(12, '0')}${random}`,
    time,
    uri: `/web/item/${item}.html`,
    args: '',
    item,
    ip: `203.0.${i % 256}.${Math.floor(Math.random() * 256)}`,
    host: 'www.example.com',
    method: 'GET',
    ua: AGENTS[i % AGENTS.length],
    node: 'web-1',
  });
}

async function makeTopic({ brokers }: KafkaPart): Promise<void> {
  const client = createKafkajsClient({ brokers, clientId: 'bench', onWarning: () => {} });
  const common = { replicationFactor: 1, retentionMs: 3_600_000 };
  await client.setup(
    [
      { ...common, topic: TOPIC, partitions: PARTITIONS },
      { ...common, topic: `${TOPIC}.dead`, partitions: 1 },
    ],
    { dryRun: false },
  );
  await client.close();
}

type Run = { folder: string; events: number; way: Way; kafka: KafkaPart };

/** One run: the sidecar as it is shipped, on its own copy of the spool. */
async function measure({ folder, events, way, kafka }: Run): Promise<Sample> {
  const home = join(folder, 'run');
  await rm(home, { recursive: true, force: true });
  await cp(join(folder, 'full'), home, { recursive: true });
  const admin = `127.0.0.1:${await freePort()}`;
  const env = {
    HOTITEM_HOME: home,
    HOTITEM_ADMIN_LISTEN: admin,
    HOTITEM_SPOOL_MAX_BYTES: String(8 * 1024 ** 3),
    KAFKA_BROKERS: kafka.brokers.join(','),
    HOTITEM_KAFKA_CLIENT: way.client,
    HOTITEM_KAFKA_HEADERS: way.headers,
    ...(way.compression && { HOTITEM_KAFKA_COMPRESSION: way.compression }),
  };
  const sidecar = await startService({ args: ['sidecar'], env, admin, logFile: join(folder, 'sidecar.log') });
  const memory = watchMemory(sidecar.pid());
  try {
    const before = await reach(sidecar, Math.ceil(events * WARM_UP));
    const after = await reach(sidecar, events);
    const delivered = after.delivered - before.delivered;
    const ms = after.at - before.at;
    return {
      eventsPerSecond: (1_000 * delivered) / ms,
      cpuPerEvent: (after.cpu - before.cpu) / delivered,
      machineCpuPerEvent: (after.machine - before.machine) / delivered,
      busyPercent: (after.cpu - before.cpu) / 10 / ms,
      rssMb: (await memory.stop()).rssMb,
    };
  } finally {
    await memory.stop();
    await sidecar.kill();
  }
}

const run = promisify(execFile);

/** The client's own producer in a process of its own (bare-producer.mjs). */
async function measureBare({
  ready,
  events,
  way,
  kafka,
}: Omit<Run, 'folder'> & { ready: string }): Promise<Bare> {
  const script = join(import.meta.dirname, 'bare-producer.mjs');
  const numbers = [PARTITIONS, events].map(String);
  const args = [script, way.client, way.headers, kafka.brokers.join(','), TOPIC, ...numbers, ready];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as Bare;
}

/** The first moment at which that many events are acknowledged. */
async function reach(sidecar: Service, events: number): Promise<Moment> {
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const { delivered } = (await sidecar.json<{ sidecar: { delivered: number } }>('/api/v1/accounting'))
      .sidecar;
    const now = { at: performance.now(), delivered };
    if (delivered >= events)
      return { ...now, cpu: cpuMicroseconds([sidecar.pid()]), machine: machineMicroseconds() };
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`the sidecar does not forward:\n${sidecar.log()}`);
}

function outcome(runs: Runs[], bytes: number): Outcome {
  const title = `events of ${Math.round(bytes)} bytes, spool to Kafka, acknowledged by all (medians)`;
  return {
    tables: [{ title, cases: runs.map(row) }],
    targets: runs.flatMap((one) =>
      one.way.target === undefined
        ? []
        : [
            atLeast(
              `${one.way.name}: events/s, of the client's own bare producer`,
              ofBare(one),
              one.way.target,
            ),
          ],
    ),
    notes: [
      'cpu_us_per_event: user and system, of the sidecar, reading the spool included; machine: of everything, broker included.',
      'bare: the library as it is installed, with gzip at level 1 and sockets without Nagle, the same records lying ready in memory.',
      'The sidecar and the broker need a core each for these figures: with fewer free ones the CPU time is what counts.',
    ],
  };
}

/** Of the rounds, in each of which both were measured one after the other. */
function ofBare({ samples, bare }: Runs): number {
  return median(
    samples.map(({ eventsPerSecond }, i) => eventsPerSecond / (bare[i]?.eventsPerSecond ?? Number.NaN)),
  );
}

function rate(some: { eventsPerSecond: number }[]): number {
  return Math.round(some.at(-1)?.eventsPerSecond ?? Number.NaN);
}

function row(runs: Runs): Case {
  const { way, samples, bare } = runs;
  const one = middle(samples);
  const of = (key: keyof Bare) => median(bare.map((sample) => sample[key]));
  return {
    case: way.name,
    events_per_s: Math.round(one.eventsPerSecond),
    cpu_us_per_event: round(one.cpuPerEvent, 2),
    machine_cpu_us_per_event: round(one.machineCpuPerEvent, 2),
    busy_pct: Math.round(one.busyPercent),
    rss_mb: round(one.rssMb),
    ...(bare.length > 0 && {
      bare_events_per_s: Math.round(of('eventsPerSecond')),
      bare_cpu_us_per_event: round(of('cpuPerEvent'), 2),
      of_bare: round(ofBare(runs), 2),
    }),
  };
}

function middle(samples: Sample[]): Sample {
  const of = (key: keyof Sample) => median(samples.map((one) => one[key]));
  return {
    eventsPerSecond: of('eventsPerSecond'),
    cpuPerEvent: of('cpuPerEvent'),
    machineCpuPerEvent: of('machineCpuPerEvent'),
    busyPercent: of('busyPercent'),
    rssMb: of('rssMb'),
  };
}
