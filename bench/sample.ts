import type { NginxPart } from '../test/parts/nginx.ts';
import { cpuMicroseconds, machineMicroseconds } from './cpu.ts';
import { type Edge, MEASURED_PAGE, WARM_UP_PAGE } from './edge.ts';
import { type Memory, watchMemory } from './memory.ts';
import { type Load, load } from './wrk.ts';

export type SampleOptions = {
  edge: Edge;
  wrk: string[];
  seconds: number;
  /** Runs between the warm-up and the measurement, with the views of the warm-up. */
  ready?: (views: number) => Promise<unknown>;
  /** Runs after the measurement, before nginx ends. */
  after?: (measured: Sample) => Promise<unknown>;
  /** Whose CPU time is measured beside nginx'. */
  beside?: number[];
};

export type Sample = Load &
  Memory & {
    /** CPU time of the nginx worker, of the processes beside it, and of the whole machine, in microseconds. */
    nginxCpu: number;
    besideCpu: number;
    machineCpu: number;
    /** From the first request to the last answer, and when that was, by `performance.now()`. */
    wallMs: number;
    ended: number;
  };

const WARM_UP_SECONDS = 1;
const CONNECTIONS = 32;

/** One run of a case: a fresh nginx, warmed up, loaded as fast as it answers. */
export async function sample(options: SampleOptions): Promise<Sample> {
  const { edge, ready, after } = options;
  const nginx = await edge.start();
  try {
    const { views } = await loadOn(options, WARM_UP_PAGE, WARM_UP_SECONDS);
    await ready?.(views);
    const measured = await measure(options, nginx);
    await after?.(measured);
    return measured;
  } finally {
    await nginx.quit();
  }
}

async function measure(options: SampleOptions, nginx: NginxPart): Promise<Sample> {
  const { seconds, beside = [] } = options;
  const [worker = 0] = await nginx.workers();
  const memory = watchMemory(worker);
  const now = () => [cpuMicroseconds([worker]), cpuMicroseconds(beside), machineMicroseconds()] as const;
  const began = performance.now();
  const before = now();
  const measured = await loadOn(options, MEASURED_PAGE, seconds);
  const [nginxCpu, besideCpu, machineCpu] = now();
  const ended = performance.now();
  return {
    ...measured,
    ...(await memory.stop()),
    nginxCpu: nginxCpu - before[0],
    besideCpu: besideCpu - before[1],
    machineCpu: machineCpu - before[2],
    wallMs: ended - began,
    ended,
  };
}

function loadOn({ edge, wrk }: SampleOptions, path: string, seconds: number): Promise<Load> {
  return load({ wrk, url: `http://127.0.0.1:${edge.port}${path}`, connections: CONNECTIONS, seconds });
}
