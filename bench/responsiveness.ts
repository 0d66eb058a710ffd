import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { peakMemory } from '../test/parts/memory.ts';
import type { Service } from '../test/parts/service.ts';
import { until } from '../test/parts/until.ts';
import { percentile } from './statistics.ts';

/** How a service answered while something went on, and what it took. */
export type Responsiveness = {
  /** Answers of `/livez`, ms. */
  median: number;
  worst: number;
  /** The worst answer of a server that does nothing else, asked at the same time: the delay that the machine itself causes. */
  bareWorst: number;
  /** CPU time of the longest turn of the service's event loop, ms. */
  longestTurn: number;
  /** The most that the service has held since it started. */
  peakMb: number;
};

/** What was done to whom, and what came of it. */
export type Attacked = { target: string; attack: string } & Responsiveness;

/** How one is selected, and how its line begins. */
export function nameOf({ target, attack }: { target: string; attack: string }): string {
  return `${target}: ${attack}`;
}

/** For whoever watches: the table comes when all is done. */
export function lineOf(one: Attacked): string {
  const [worst, bare, turn, peak] = [one.worst, one.bareWorst, one.longestTurn, one.peakMb].map(Math.round);
  return `${nameOf(one)}: /livez ${worst} ms at worst (bare ${bare}), longest turn ${turn} ms, peak ${peak} MB`;
}

const here = import.meta.dirname;
const MEDIAN = 0.5;
const WAIT_MS = 30_000;

/** What a service needs in its environment to be watched. */
export function meterOf(file: string): { NODE_OPTIONS: string; TURN_METER: string } {
  const meter = pathToFileURL(join(here, 'turn-meter.mjs')).href;
  // The first option as in its service.
  return { NODE_OPTIONS: `--max-semi-space-size=4 --import=${meter}`, TURN_METER: file };
}

/** Watches a service that was started with `meterOf(file)`, until `stop`. */
export async function watchResponsiveness(
  service: Service,
  file: string,
): Promise<{ stop(): Promise<Responsiveness> }> {
  const bare = spawn(process.execPath, [join(here, 'bare-server.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(createInterface(bare.stdout), 'line');
  const urls = [`http://${service.admin}/livez`, `http://127.0.0.1:${port}/`];
  const prober = spawn(process.execPath, [join(here, 'prober.mjs'), ...urls], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await readMeter(service, file);
  return {
    async stop() {
      const longestTurn = await readMeter(service, file);
      const printed = once(createInterface(prober.stdout), 'line');
      prober.stdin.end();
      const [line] = await printed;
      bare.kill();
      const [ours = [], theirs = []]: number[][] = JSON.parse(line);
      return {
        median: percentile(ours, MEDIAN),
        worst: Math.max(...ours),
        bareWorst: Math.max(...theirs),
        longestTurn,
        peakMb: peakMemory(service.pid()),
      };
    },
  };
}

/** What the meter says, which begins again then. */
async function readMeter(service: Service, file: string): Promise<number> {
  rmSync(file, { force: true });
  process.kill(service.pid(), 'SIGUSR2');
  const isWritten = () => existsSync(file) && readFileSync(file, 'utf8') !== '';
  await until(isWritten, { timeoutMs: WAIT_MS, everyMs: 10, what: 'the meter of the event loop' });
  return Number(readFileSync(file, 'utf8'));
}
