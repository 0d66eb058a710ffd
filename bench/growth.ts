import { join } from 'node:path';
import { openSpool } from '../store/spool/spool.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { cpuMicroseconds } from './cpu.ts';
import { startIdleSidecar } from './idle-sidecar.ts';
import { sendLines } from './line-sender.ts';
import { watchMemory } from './memory.ts';
import { median, round } from './statistics.ts';
import { atMost } from './target.ts';

const BACKLOGS = [10_000, 300_000, 3_000_000];
const LINES_A_REQUEST = 1_000;
const CONNECTIONS = 4;
/** Each round adds these to a backlog and takes them away again. */
const WARM_UP_EVENTS = 50_000;
const MEASURED_EVENTS = 200_000;
const PATIENCE_SECONDS = 600;
const GIB = 1024 ** 3;
/** The name of the sidecar's cursor where it forwards to Kafka. */
const CURSOR = 'kafka';

type Sample = {
  startMs: number;
  /** CPU time an event, taken in and spooled by the sidecar; and read from the spool, acknowledged and removed. */
  intakeUs: number;
  drainUs: number;
  rssMb: number;
};

type Runs = { backlog: number; home: string; samples: Sample[] };

export const growth: Bench = {
  about: 'cost of an event, start and memory while 10 thousand to 3 million events wait in the spool',
  async run({ report, quick }) {
    const rounds = quick ? 1 : 5;
    const { path, remove } = temporaryFolder('growth');
    const runs = BACKLOGS.map(
      (backlog): Runs => ({ backlog, home: join(path, String(backlog)), samples: [] }),
    );
    try {
      for (const { backlog, home } of runs) {
        await fill(home, backlog);
        report(`${backlog} events wait`);
      }
      for (let round = 1; round <= rounds; round++) {
        for (const { backlog, home, samples } of runs) {
          const one = await measure(home);
          samples.push(one);
          report(`round ${round}: ${backlog}: started in ${Math.round(one.startMs)} ms`);
        }
      }
    } finally {
      remove();
    }
    return outcome(runs);
  },
};

async function fill(home: string, events: number): Promise<void> {
  const sidecar = await startIdleSidecar(home);
  try {
    await send(home, events);
  } finally {
    await sidecar.kill();
  }
}

async function send(home: string, events: number): Promise<void> {
  const { events: kept } = await sendLines({
    socket: join(home, 'run/intake.sock'),
    connections: CONNECTIONS,
    seconds: PATIENCE_SECONDS,
    linesARequest: LINES_A_REQUEST,
    mostRequests: events / LINES_A_REQUEST,
  });
  if (kept !== events) throw new Error(`${kept} of ${events} events were taken in`);
}

async function measure(home: string): Promise<Sample> {
  const began = performance.now();
  const sidecar = await startIdleSidecar(home);
  const startMs = performance.now() - began;
  try {
    const memory = watchMemory(sidecar.pid());
    await send(home, WARM_UP_EVENTS);
    const before = cpuMicroseconds([sidecar.pid()]);
    await send(home, MEASURED_EVENTS);
    const intakeUs = (cpuMicroseconds([sidecar.pid()]) - before) / MEASURED_EVENTS;
    const { rssMb } = await memory.stop();
    await sidecar.kill();
    return { startMs, intakeUs, rssMb, drainUs: await drain(home) };
  } finally {
    await sidecar.kill();
  }
}

/** Takes the oldest events out, as many as came in. Returns the CPU time that one takes, in microseconds. */
async function drain(home: string): Promise<number> {
  const spool = await openSpool({
    dir: join(home, 'spool'),
    maxBytes: 64 * GIB,
    fsync: 'never',
    cursors: [CURSOR],
  });
  let events = 0;
  let before = process.cpuUsage();
  let used = Number.NaN;
  await new Promise<void>((resolve) => {
    void spool.consume(CURSOR, async ({ values }) => {
      if (events >= WARM_UP_EVENTS + MEASURED_EVENTS) return new Promise(() => {});
      if (events < WARM_UP_EVENTS) before = process.cpuUsage();
      events += values.length;
      if (events < WARM_UP_EVENTS + MEASURED_EVENTS) return;
      const { user, system } = process.cpuUsage(before);
      used = (user + system) / MEASURED_EVENTS;
      resolve();
    });
  });
  await spool.close();
  return used;
}

function outcome(runs: Runs[]): Outcome {
  const cases = runs.map(row);
  return {
    tables: [{ title: 'while events wait in the spool (medians)', cases }],
    targets: [
      atMost('CPU of an event taken in: largest / smallest', spread(cases, 'intake_us'), 1.2),
      atMost('CPU of an event read and acknowledged: largest / smallest', spread(cases, 'drain_us'), 1.2),
      atMost(
        'start: with 3 million events / with 10 thousand',
        spread([...cases.slice(0, 1), ...cases.slice(-1)], 'start_ms'),
        2,
      ),
      atMost('RSS, MB', Math.max(...cases.map((one) => Number(one.rss_mb))), 150),
    ],
    notes: [
      `Each round starts the sidecar with what waits, adds ${WARM_UP_EVENTS + MEASURED_EVENTS} events, kills it (-9), and takes as many out.`,
      'start_ms: until /readyz says so, the start of Node included.',
    ],
  };
}

function row({ backlog, samples }: Runs): Case {
  const of = (key: keyof Sample) => median(samples.map((one) => one[key]));
  return {
    case: `${backlog.toLocaleString('en')} events wait`,
    start_ms: Math.round(of('startMs')),
    intake_us: round(of('intakeUs'), 2),
    drain_us: round(of('drainUs'), 2),
    rss_mb: round(of('rssMb')),
  };
}

function spread(cases: Case[], key: string): number {
  const values = cases.map((one) => Number(one[key]));
  return Math.max(...values) / Math.min(...values);
}
