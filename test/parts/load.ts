import { setTimeout as delay } from 'node:timers/promises';
import { type HttpConnection, openConnection } from './http-connection.ts';

export type Sent = {
  path: string;
  /** The status of the response; 0 if there was none. */
  status: number;
  /** From sending (`steady`: from when it was due) to the end of the response. */
  latencyMs: number;
  /** Why there was no response. */
  error?: string;
};

type Common = {
  /** The port on 127.0.0.1. */
  port: number;
  /** Added to `Host` and `User-Agent`; one character per byte. */
  headers?: Record<string, string>;
  connections?: number;
};

const TIMEOUT_MS = 60_000;
/** isbot treats most other user agents as bots, even `Mozilla/5.0` alone. */
export const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/**
 * Requests each path once, in order, over a number of keep-alive connections, each sending its next request after the response.
 * A path is sent unchanged, one byte per character (so 0x80 to 0xff are bytes, not UTF-8). Never rejects: failures are in the
 * results, which are in the order of the paths.
 */
export async function views(options: Common & { paths: string[] }): Promise<Sent[]> {
  const { paths, connections = 20 } = options;
  const sent: Sent[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(connections, paths.length) }, worker));
  return sent;

  async function worker(): Promise<void> {
    const ask = createAsker(options);
    while (next < paths.length) {
      const i = next++;
      sent[i] = await ask(paths[i] ?? '/', performance.now());
    }
    ask.close();
  }
}

type Steady = Common & { ratePerSecond: number; seconds: number; path: (i: number) => string };

/**
 * Sends requests at a fixed rate, independent of responses, and measures from when each one was due: a closed loop would hide a
 * stall by sending less. If all connections are busy, a request waits for one, and its latency grows.
 */
export async function steady(options: Steady): Promise<Sent[]> {
  const { ratePerSecond, seconds, path, connections = 200 } = options;
  const total = Math.round(ratePerSecond * seconds);
  const sent: Sent[] = [];
  const due: number[] = [];
  const idle: Asker[] = [];
  let opened = 0;
  let answered = 0;
  const { promise, resolve } = settled();

  const began = performance.now();
  for (let i = 0; i < total; ) {
    for (; i < total && performance.now() - began >= (i / ratePerSecond) * 1000; i++) due.push(i);
    dispatch();
    await delay(1);
  }
  await promise;
  for (const ask of idle) ask.close();
  return sent;

  function dispatch(): void {
    while (due.length > 0) {
      const ask = idle.pop() ?? open();
      if (ask === undefined) return;
      void send(due.shift() ?? 0, ask);
    }
  }

  async function send(i: number, ask: Asker): Promise<void> {
    sent[i] = await ask(path(i), began + (i / ratePerSecond) * 1000);
    idle.push(ask);
    answered++;
    if (answered === total) resolve();
    dispatch();
  }

  function open(): Asker | undefined {
    if (opened === connections) return undefined;
    opened++;
    return createAsker(options);
  }
}

type Asker = { (path: string, since: number): Promise<Sent>; close(): void };

/** Sends requests over one connection, and opens a new one when it is closed. */
function createAsker({ port, headers = {} }: Common): Asker {
  const lines = Object.entries({ Host: '127.0.0.1', 'User-Agent': BROWSER, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  let connection: HttpConnection | undefined;
  return Object.assign(ask, { close: () => connection?.close() });

  async function ask(path: string, since: number): Promise<Sent> {
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\n${lines}\r\n`, 'latin1');
    try {
      if (!connection?.usable()) connection = openConnection({ port, timeoutMs: TIMEOUT_MS });
      const status = await connection.send(request);
      return { path, status, latencyMs: performance.now() - since };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { path, status: 0, latencyMs: performance.now() - since, error: reason };
    }
  }
}

function settled(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
