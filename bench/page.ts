import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { addressOf, lineOf, postLines } from '../test/integration/post-lines.ts';
import { launchChromium } from '../test/parts/browser.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { until } from '../test/parts/until.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { cpuMicroseconds } from './cpu.ts';
import { startIdleSidecar } from './idle-sidecar.ts';
import { sendLines } from './line-sender.ts';
import { type BenchSidecar, startBenchSidecar } from './sidecar.ts';
import { median, round } from './statistics.ts';
import { type Reading, startStreamReaders } from './stream-readers.ts';
import { atMost } from './target.ts';

/*
 * What the live page costs: in a browser (bytes, until it is live, the longest frame while ten thousand items are sorted), and in the
 * sidecar (200 clients of the stream).
 */

const ITEMS = 10_000;
const CLIENTS = 200;
const READERS = 300;
const QUESTIONS = 200;
const EVENTS_PER_SECOND = 10_000;
const LOADS = 10;
const HOT = 20;
const SORTS = ['item', 'visitors', 'all', 'last', 'views'];
/** Posted ten times a second. */
const LINES = EVENTS_PER_SECOND / 10;
/** In the first seconds an event costs more: code is compiled, and the first items turn hot. */
const WARM_UP_SECONDS = 8;
const TURNS: readonly Turn[] = ['none', 'all', 'all', 'none'];

export const page: Bench = {
  about:
    'the live page: bytes, time until it is live, the longest frame of a sort; what 200 clients of its stream cost',
  async run({ report, quick, isWanted }) {
    const seconds = quick ? 3 : 10;
    const rounds = quick ? 1 : 3;
    const inBrowser = isWanted('browser') ? await measureBrowser(report) : [];
    const cpu = isWanted('stream') ? await measureStream({ seconds, rounds, report }) : [];
    const readers = isWanted('readers') ? await measureReaders(report) : [];
    const intake = isWanted('intake')
      ? await measureIntake({ seconds: quick ? 2 : 4, rounds: quick ? 1 : 5, report })
      : [];
    return outcome({ inBrowser, cpu, readers, intake });
  },
};

async function measureBrowser(report: (line: string) => void): Promise<Case[]> {
  const { path: home, remove } = temporaryFolder('page');
  const sidecar = await startBenchSidecar({ home });
  const browser = await launchChromium(report);
  try {
    for (let i = 0; i < ITEMS; i += 1_000)
      await postLines(
        sidecar.socket,
        Array.from({ length: 1_000 }, (_, n) => lineOf({ item: `item-${i + n}`, ip: addressOf(n) })),
      );
    await until(() => sidecar.isDrained(), { timeoutMs: 60_000, what: 'ten thousand items in the index' });
    const cases = [
      await load(browser, sidecar, 'hot', "document.getElementById('fresh').textContent === 'Live'"),
      await load(browser, sidecar, 'item/item-1', "document.querySelector('#chart canvas') !== null"),
      await longestFrame(browser, sidecar),
    ];
    for (const one of cases) report(JSON.stringify(one));
    return cases;
  } finally {
    await browser.close();
    await sidecar.kill();
    remove();
  }
}

/** Opened in a browser that has nothing of it yet. `isReady`: an expression. */
async function load(browser: Browser, sidecar: BenchSidecar, view: string, isReady: string): Promise<Case> {
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < LOADS; i++) {
    const context = await browser.newContext();
    const opened = await context.newPage();
    const session = await context.newCDPSession(opened);
    await session.send('Network.enable');
    bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await opened.addInitScript({
      content: `
        const look = () => {
          if (document.readyState !== 'loading' && ${isReady}) window.readyAt ??= performance.now();
          else requestAnimationFrame(look);
        };
        addEventListener('DOMContentLoaded', look);`,
    });
    await opened.goto(`http://${sidecar.admin}/#/${view}`);
    let readyAt: unknown;
    await until(
      async () => {
        readyAt = await opened.evaluate('window.readyAt');
        return typeof readyAt === 'number';
      },
      { timeoutMs: 60_000, what: `#/${view} to be ready` },
    );
    times.push(Number(readyAt));
    await context.close();
  }
  // The first starts the browser's own parts.
  const warm = times.slice(1);
  return {
    case: `open #/${view}`,
    kilobytes: round(bytes / 1000),
    ready_ms: round(median(warm)),
    worst_ms: round(Math.max(...warm)),
  };
}

async function longestFrame(browser: Browser, sidecar: BenchSidecar): Promise<Case> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const opened = await context.newPage();
  await opened.goto(`http://${sidecar.admin}/#/items?window=24h`);
  await opened.locator(`#items-table[aria-rowcount="${ITEMS + 1}"]`).waitFor();
  await opened.evaluate(`
    window.longest = 0;
    let before = performance.now();
    const frame = (now) => {
      window.longest = Math.max(window.longest, now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => { before = now; requestAnimationFrame(frame); });`);
  await sleep(500);
  const idle = (await opened.evaluate('[window.longest, window.longest = 0][0]')) as number;
  for (let round = 0; round < 3; round++)
    for (const sort of SORTS) {
      // Not by the mouse, which would move.
      await opened.evaluate(`document.querySelector('#sort-${sort} button').click()`);
      await opened.locator(`#sort-${sort}[aria-sort]`).waitFor();
      await sleep(300);
    }
  const longest = (await opened.evaluate('window.longest')) as number;
  await context.close();
  return {
    case: `sort ${ITEMS} items ${3 * SORTS.length} times`,
    longest_frame_ms: round(longest),
    longest_idle_frame_ms: round(idle),
  };
}

type Measuring = { seconds: number; rounds: number; report: (line: string) => void };

/** CPU of a sidecar that indexes 10,000 events/s, in percent of a core, without clients and with 200. */
async function measureStream({ seconds, rounds, report }: Measuring): Promise<Case[]> {
  const { path: home, remove } = temporaryFolder('page');
  const sidecar = await startBenchSidecar({ home });
  const sending = startSending(sidecar.socket);
  const samples: Record<'none' | 'all', number[]> = { none: [], all: [] };
  try {
    await sleep(5_000);
    for (let round = 1; round <= rounds; round++) {
      samples.none.push(await busyPercent(sidecar.pid(), seconds));
      const readers = await startStreamReaders(sidecar.admin, CLIENTS);
      samples.all.push(await busyPercent(sidecar.pid(), seconds));
      await readers.stop();
      report(
        `round ${round}: ${samples.none.at(-1)} % of a core without clients, ${samples.all.at(-1)} % with ${CLIENTS}`,
      );
    }
  } finally {
    const sent = await sending.stop();
    report(`${Math.round(sent)} events/s were sent`);
    await sidecar.kill();
    remove();
  }
  const [none, all] = [median(samples.none), median(samples.all)];
  return [
    {
      case: `${CLIENTS} clients, ${EVENTS_PER_SECOND} events/s`,
      without_pct: round(none),
      with_pct: round(all),
      added_pct: round(all - none),
    },
  ];
}

type Turn = 'none' | 'all';
type Sample = { events: number; seconds: number; cpu: number };

/**
 * What 200 readers of the stream take off a sidecar that ingests at full speed: by turns without them and with them, in the same sidecar,
 * so that what drifts while it runs is in both.
 */
async function measureIntake({ seconds, rounds, report }: Measuring): Promise<Case[]> {
  const offs: Record<'wall' | 'cpu', number>[] = [];
  const without: number[] = [];
  const readings: Reading[] = [];
  for (let round = 1; round <= rounds; round++) {
    const { path: home, remove } = temporaryFolder('page');
    const sidecar = await startIdleSidecar(home);
    const send = { socket: join(home, 'run/intake.sock'), connections: 4, linesARequest: 1_000 };
    const samples: Record<Turn, Sample[]> = { none: [], all: [] };
    try {
      await sendLines({ ...send, seconds: WARM_UP_SECONDS });
      for (const turn of TURNS) {
        const readers = turn === 'all' ? await startStreamReaders(sidecar.admin, CLIENTS) : undefined;
        const before = cpuMicroseconds([sidecar.pid()]);
        const sent = await sendLines({ ...send, seconds });
        samples[turn].push({ ...sent, cpu: cpuMicroseconds([sidecar.pid()]) - before });
        if (readers !== undefined) readings.push(await readers.stop());
      }
    } finally {
      await sidecar.kill();
      remove();
    }
    const [none, all] = [totalOf(samples.none), totalOf(samples.all)];
    without.push(none.events / none.seconds);
    offs.push({ wall: off(none, all, 'seconds'), cpu: off(none, all, 'cpu') });
    report(
      `round ${round}: ${Math.round(none.events / none.seconds)} events/s without readers, ${Math.round(all.events / all.seconds)} with ${CLIENTS}`,
    );
  }
  const perSecond = (of: (reading: Reading) => number) =>
    median(readings.map((reading) => of(reading) / reading.seconds));
  return [
    {
      case: `intake at full speed, ${CLIENTS} readers`,
      without_per_s: Math.round(median(without)),
      off_pct: round(median(offs.map(({ wall }) => wall))),
      off_by_cpu_pct: round(median(offs.map(({ cpu }) => cpu))),
      readers_cpu_pct: round(perSecond(({ cpuSeconds }) => 100 * cpuSeconds)),
      sent_mb_per_s: round(perSecond(({ bytes }) => bytes / 1e6)),
    },
  ];
}

function totalOf(samples: Sample[]): Sample {
  const sum = (key: keyof Sample) => samples.reduce((total, one) => total + one[key], 0);
  return { events: sum('events'), seconds: sum('seconds'), cpu: sum('cpu') };
}

/** Of the events in a second, or in a CPU second, how many percent less. */
function off(none: Sample, all: Sample, key: 'seconds' | 'cpu'): number {
  return 100 * (1 - all.events / all[key] / (none.events / none[key]));
}

/** How long `/livez` takes while as many clients as may have a stream, and more, never read, and views come in. */
async function measureReaders(report: (line: string) => void): Promise<Case[]> {
  const { path: home, remove } = temporaryFolder('page');
  const sidecar = await startBenchSidecar({ home });
  const sending = startSending(sidecar.socket);
  const [host = '', port] = sidecar.admin.split(':');
  const sockets: Socket[] = [];
  try {
    await sleep(2_000);
    const alone = await livezTimes(sidecar.admin);
    for (let i = 0; i < READERS; i++) {
      const socket = connect(Number(port), host);
      sockets.push(socket.pause());
      socket.on('error', () => {});
      socket.write('GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
    }
    await sleep(2_000);
    const times = await livezTimes(sidecar.admin);
    const one = {
      case: `/livez, ${READERS} readers that never read, ${EVENTS_PER_SECOND} events/s`,
      alone_p99_ms: p99(alone),
      median_ms: round(median(times)),
      p99_ms: p99(times),
    };
    report(JSON.stringify(one));
    return [one];
  } finally {
    for (const socket of sockets) socket.destroy();
    await sending.stop();
    await sidecar.kill();
    remove();
  }
}

/** In ascending order. */
async function livezTimes(admin: string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const began = performance.now();
    const answer = await fetch(`http://${admin}/livez`, { headers: { connection: 'close' } });
    await answer.text();
    times.push(performance.now() - began);
    await sleep(20);
  }
  return times.sort((a, b) => a - b);
}

function p99(sorted: number[]): number {
  return round(sorted[Math.floor(0.99 * sorted.length)] ?? Number.NaN);
}

function startSending(socket: string): { stop(): Promise<number> } {
  let isStopped = false;
  let events = 0;
  const began = performance.now();
  const done = send();
  return {
    async stop() {
      isStopped = true;
      await done;
      return (events / (performance.now() - began)) * 1000;
    },
  };

  async function send(): Promise<void> {
    for (let turn = 0; !isStopped; turn++) {
      const due = began + turn * 100;
      await sleep(Math.max(0, due - performance.now()));
      // Half of it views a few hot items.
      const lines = Array.from({ length: LINES }, (_, i) =>
        lineOf({
          item: i % 2 === 0 ? `hot-${i % HOT}` : `item-${(turn * 331 + i) % ITEMS}`,
          ip: addressOf((turn * LINES + i) % 60_000),
        }),
      );
      await postLines(socket, lines);
      events += lines.length;
    }
  }
}

async function busyPercent(pid: number, seconds: number): Promise<number> {
  const before = cpuMicroseconds([pid]);
  const began = performance.now();
  await sleep(seconds * 1_000);
  return round((cpuMicroseconds([pid]) - before) / 10 / (performance.now() - began));
}

type Cases = Record<'inBrowser' | 'cpu' | 'readers' | 'intake', Case[]>;

function outcome({ inBrowser, cpu, readers, intake }: Cases): Outcome {
  const [hot, item, sort] = inBrowser;
  const number = (one: Case | undefined, key: string) => Number(one?.[key] ?? Number.NaN);
  return {
    tables: [
      { title: 'in a browser', cases: inBrowser },
      { title: 'in the sidecar', cases: [...cpu, ...readers, ...intake] },
    ].filter(({ cases }) => cases.length > 0),
    targets: [
      ...(inBrowser.length === 0
        ? []
        : [
            atMost('bytes on the wire of Hot now, KB', number(hot, 'kilobytes'), 100),
            atMost('bytes on the wire of One item, KB', number(item, 'kilobytes'), 100),
            atMost('live after, ms', number(hot, 'ready_ms'), 300),
            atMost('longest frame of a sort, ms', number(sort, 'longest_frame_ms'), 50),
          ]),
      ...cpu.map((one) => atMost('200 clients of the stream, % of a core', number(one, 'added_pct'), 10)),
      ...readers.map((one) =>
        atMost('/livez beside 300 readers that never read, p99 ms', number(one, 'p99_ms'), 100),
      ),
      ...intake.flatMap((one) => [
        atMost('200 clients of the stream, % off intake', number(one, 'off_pct'), 5),
        atMost(
          '200 clients of the stream, % off intake by CPU of the sidecar',
          number(one, 'off_by_cpu_pct'),
          5,
        ),
      ]),
    ],
    notes: [
      'ready_ms: from the start of the navigation until it is live, or the chart is drawn; median of nine after the first.',
      'off_pct: of events/s. Sidecar, sender and readers share the cores, so what the readers take themselves (readers_cpu_pct of a core) is in it where no core idles.',
      "off_by_cpu_pct: of events per CPU second of the sidecar, with the kernel's time for what it sends; on loopback that includes receiving. The readers' own time is not in it.",
    ],
  };
}
