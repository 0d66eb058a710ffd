import { run } from '../service/run.ts';

export type Load = {
  views: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  worstMs: number;
  failed: number;
};

export type LoadOptions = { wrk: string[]; url: string; connections: number; seconds: number };

/** One run of wrk with one thread. Throws with its output if it fails. */
export async function load({ wrk, url, connections, seconds }: LoadOptions): Promise<Load> {
  const [program = 'wrk', ...first] = wrk;
  const args = [
    ...first,
    '--threads',
    '1',
    '--connections',
    String(connections),
    '--duration',
    `${seconds}s`,
    '--latency',
    url,
  ];
  const { code, stdout, stderr } = await run(program, args);
  const summary = /(\d+) requests in ([\d.]+)(m?s|m)/.exec(stdout);
  if (code !== 0 || summary === null) throw new Error(`wrk: ${stdout}${stderr}`);
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0;
  return {
    views: Number(summary[1]),
    seconds: toMs(`${summary[2]}${summary[3]}`) / 1000,
    p50Ms: toMs(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
    p99Ms: toMs(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
    worstMs: toMs(/Latency\s+\S+\s+\S+\s+(\S+)/.exec(stdout)?.[1]),
    failed: errors.reduce((sum, count) => sum + Number(count), Number(refused)),
  };
}

const UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function toMs(text = ''): number {
  const [, number, unit = ''] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}
