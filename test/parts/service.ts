import { request } from 'node:http';
import { join } from 'node:path';
import { type PartProcess, startProcess, tailOf } from './process.ts';
import { until } from './until.ts';

export type ServiceOptions = {
  /** The arguments of `hotitem`: `['sidecar']`. */
  args: string[];
  env: Record<string, string>;
  /** `host:port` of its admin listener. */
  admin: string;
  logFile: string;
  /** What `start` waits for. Default: `/readyz`. */
  waitFor?: '/readyz' | '/livez';
};

/** The built `hotitem …` in its own process. */
export type Service = {
  admin: string;
  pid(): number;
  /** Resolves when it is ready, or lives. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  json<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  metric(name: string): Promise<number>;
  log(): string;
};

/** Uses a new connection: the other side might just be closing a kept one. */
export function askOnce(
  url: string,
  { headers, ...options }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(url, { ...options, headers: { ...headers, connection: 'close' } });
}

type Answer = { status: number; text: string };

/** The same for what is asked for again and again: `fetch` costs three times as much. */
function getOnce(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject).end();
  });
}

const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');
/** A sink that was killed together with its Kafka waits for Kafka to recover and for its old session to end. */
const READY_MS = 120_000;

/** Starts a service with an environment that has only PATH from the test's own. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { args, env, admin, logFile, waitFor = '/readyz' } = options;
  let current: PartProcess = launch();
  await ready();
  return {
    admin,
    pid: () => current.pid,
    async start() {
      if (current.running()) return;
      current = launch();
      await ready();
    },
    stop: () => current.stop(),
    kill: () => current.kill(),
    pause: () => current.pause(),
    resume: () => current.resume(),
    json: async <T>(path: string) => JSON.parse((await get(path)).text) as T,
    text: async (path) => (await get(path)).text,
    metric,
    log: () => tailOf(logFile),
  };

  function launch(): PartProcess {
    return startProcess({
      name: `hotitem ${args.join(' ')}`,
      command: [process.execPath, PROGRAM, ...args],
      logFile,
      env: { PATH: process.env.PATH, ...env },
    });
  }

  async function ready(): Promise<void> {
    const isReady = () =>
      !current.running() ||
      get(waitFor).then(
        ({ status }) => status === 200,
        () => false,
      );
    const detail = () => tailOf(logFile);
    await until(isReady, { timeoutMs: READY_MS, what: `hotitem ${args.join(' ')} to be ready`, detail });
    if (!current.running()) throw new Error(`hotitem ${args.join(' ')} does not start:\n${detail()}`);
  }

  async function get(path: string): Promise<Answer> {
    try {
      return await getOnce(`http://${admin}${path}`);
    } catch (error) {
      if (current.running()) throw error;
      throw new Error(`hotitem ${args.join(' ')} has ended:\n${tailOf(logFile)}`, { cause: error });
    }
  }

  /** The sum over all labels. */
  async function metric(name: string): Promise<number> {
    const { text } = await get('/metrics');
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(name) && /[ {]/.test(line[name.length] ?? ''));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
