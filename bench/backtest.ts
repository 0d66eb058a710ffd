import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { BacktestAnswer } from '../cli/backtest-text.ts';
import { fromLine } from '../event/from-line.ts';
import { mix } from '../event/mix.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { cpuMicroseconds } from './cpu.ts';
import { parsedPerCpuSecond } from './json-parse.ts';
import { watchMemory } from './memory.ts';
import { sampleEvents } from './sample-events.ts';
import { sampleLine } from './sample-line.mjs';
import { median, round } from './statistics.ts';
import { atMost } from './target.ts';
import { zipfRanks } from './zipf-stream.ts';

const PROGRAM = join(import.meta.dirname, '../dist/hotitem.mjs');
const START = 1_795_355_700_000;
const VIEWS_A_SECOND = 20_000;
const ITEMS = 100_000;
/** One view in twenty is of the item on sale, from the middle on. */
const SALE_ONE_IN = 20;
const ROUNDS = 3;
const WATCH_MS = 50;

export const backtest: Bench = {
  about: 'hotitem backtest over ten minutes of a sale at 20,000 views/s, from a file; the machine beside it',
  async run({ report, quick }) {
    const seconds = quick ? 30 : 600;
    const folder = temporaryFolder('backtest');
    try {
      const file = join(folder.path, 'sale.ndjson');
      writeSale(file, seconds);
      report(`${seconds} s of a sale are written`);
      const texts = sampleEvents(100);
      const runs: Run[] = [];
      const parsed: number[] = [];
      for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
        parsed.push(parsedPerCpuSecond(texts));
        runs.push(await runBacktest(file));
        report(JSON.stringify(runs.at(-1)));
      }
      const events = seconds * VIEWS_A_SECOND;
      const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds));
      const found: Case = {
        case: `${events.toLocaleString('en')} events`,
        seconds: round(median(runs.map((one) => one.seconds)), 1),
        cpu_s: round(cpu, 1),
        us_an_event: round((1e6 * cpu) / events, 2),
        times_json_parse: round(events / cpu / median(parsed), 2),
        memory_mb: Math.max(...runs.map(({ memoryMb }) => memoryMb)),
        hot: runs[0]?.hot ?? 0,
      };
      return {
        tables: [{ title: 'hotitem backtest --from FILE', cases: [found] }],
        targets: [
          atMost(`seconds for ${seconds} s of a sale`, Number(found.seconds), seconds / 10, 1),
          atMost('memory, MB', Number(found.memory_mb), 300, 0),
        ],
        notes: [
          'times_json_parse: events a second of CPU time, beside what JSON.parse alone reads of such events in this process.',
        ],
      } satisfies Outcome;
    } finally {
      folder.remove();
    }
  },
};

type Run = { seconds: number; cpuSeconds: number; memoryMb: number; hot: number };

async function runBacktest(file: string): Promise<Run> {
  const began = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'backtest', '--from', file, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  const pid = child.pid ?? 0;
  let cpu = 0;
  const memory = watchMemory(pid);
  const watch = setInterval(() => {
    cpu = Math.max(cpu, cpuMicroseconds([pid]));
  }, WATCH_MS);
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const answer: BacktestAnswer = JSON.parse(await text(child.stdout));
  if ((await code) !== 0) throw new Error('hotitem backtest failed');
  clearInterval(watch);
  const { rssMb } = await memory.stop();
  const seconds = (performance.now() - began) / 1_000;
  const hot = new Set(answer.found?.spells.map(({ item }) => item)).size;
  return { seconds: round(seconds, 1), cpuSeconds: cpu / 1e6, memoryMb: round(rssMb, 0), hot };
}

/** The views of one second, over and over: with another time, another id and other visitors each. */
function writeSale(path: string, seconds: number): void {
  const [usual, sale] = [templateOf(0), templateOf(SALE_ONE_IN)];
  const file = openSync(path, 'w');
  for (let second = 0; second < seconds; second++) {
    const { bytes, places } = second < seconds / 2 ? usual : sale;
    for (const [i, { id, time, visitor }] of places.entries()) {
      const at = START + second * 1_000 + Math.floor((i * 1_000) / VIEWS_A_SECOND);
      bytes.write(at.toString(16).padStart(12, '0'), id, 'latin1');
      bytes.write((second * VIEWS_A_SECOND + i).toString(16).padStart(20, '0'), id + 12, 'latin1');
      bytes.write(String(at), time, 'latin1');
      bytes.write(String(100 + (second % 150)), visitor, 'latin1');
    }
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  }
  closeSync(file);
}

type Template = { bytes: Buffer; places: { id: number; time: number; visitor: number }[] };

function templateOf(saleOneIn: number): Template {
  const ranks = zipfRanks({ items: ITEMS, s: 1, count: VIEWS_A_SECOND });
  const places: Template['places'] = [];
  const texts: string[] = [];
  let length = 0;
  for (const [i, rank] of ranks.entries()) {
    const item = saleOneIn > 0 && i % saleOneIn === 0 ? 'sale' : String(rank);
    const [a, b] = [100 + ((mix(i) >>> 8) % 150), 100 + ((mix(i) >>> 0) % 150)];
    const event = {
      ...fromLine(sampleLine(i).trimEnd(), 'web-1'),
      uri: `/web/item/${item}.html`,
      item,
      ip: `10.100.${a}.${b}`,
    };
    const text = `${JSON.stringify(event)}\n`;
    places.push({
      id: length + text.indexOf('"id":"') + '"id":"'.length,
      time: length + text.indexOf('"time":') + '"time":'.length,
      visitor: length + text.indexOf('"10.') + '"10.'.length,
    });
    texts.push(text);
    length += text.length;
  }
  return { bytes: Buffer.from(texts.join(''), 'latin1'), places };
}
