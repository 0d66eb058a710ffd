import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prometheus } from '../provision/prometheus.ts';
import { freePort } from './ports.ts';
import { startProcess, tailOf } from './process.ts';
import { record } from './record.ts';
import { until } from './until.ts';

/** One series of an answer, with its value at the time of the question. */
export type Sample = { metric: Record<string, string>; value: number };

export type PrometheusPart = {
  /** An instant query. Rejects with what Prometheus says about a wrong one. */
  query(expr: string): Promise<Sample[]>;
  stop(): Promise<void>;
  log(): string;
};

export type Target = {
  job: string;
  /** `host:port` */
  address: string;
};

const START_MS = 120_000;

/** Prometheus with its data in `folder`, which scrapes the targets every second. Resolves when it has scraped each of them twice. */
export async function startPrometheus(
  { version, prometheus }: Prometheus,
  folder: string,
  targets: Target[],
): Promise<PrometheusPart> {
  const port = await freePort();
  const logFile = join(folder, 'prometheus.log');
  const config = join(folder, 'prometheus.yml');
  const jobs = targets.map(({ job, address }) => ({
    job_name: job,
    static_configs: [{ targets: [address] }],
  }));
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: jobs }));
  const part = startProcess({
    name: 'prometheus',
    command: [
      ...prometheus,
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    logFile,
  });
  const log = () => tailOf(logFile);
  await until(async () => !part.running() || (await hasScraped()), {
    timeoutMs: START_MS,
    what: `Prometheus to scrape ${targets.length} services`,
    detail: log,
  });
  if (!part.running()) throw new Error(`Prometheus does not start:\n${log()}`);
  record(`Prometheus ${version}`);
  return { query, stop: () => part.stop(), log };

  /** Twice, so that there is a rate. */
  async function hasScraped(): Promise<boolean> {
    const up = await query('sum_over_time(up[1m]) >= 2').catch(() => []);
    return up.length === targets.length;
  }

  async function query(expr: string): Promise<Sample[]> {
    const body = new URLSearchParams({ query: expr });
    const reply = await fetch(`http://127.0.0.1:${port}/api/v1/query`, { method: 'POST', body });
    const answer = (await reply.json()) as Answer;
    if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
    return answer.data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }
}

type Answer =
  | {
      status: 'success';
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    }
  | { status: 'error'; error: string };
