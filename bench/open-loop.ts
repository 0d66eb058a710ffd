import { constants, getPriority, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type HttpConnection, openConnection } from '../test/parts/http-connection.ts';

export type OpenLoopOptions = {
  /** Of 127.0.0.1. */
  port: number;
  path: string;
  ratePerSecond: number;
  seconds: number;
  /** At most; a request for which none is free waits, and its latency grows. */
  connections?: number;
};

export type OpenLoop = {
  /** From when each request was due to the end of its answer, in the order in which they were due. */
  latenciesMs: number[];
  /** How late the sender came to each, by its own fault: the latency includes it. */
  latenessMs: number[];
  /** Latency less lateness: shoppers are on other machines, and that the sender was kept from its core is not nginx's doing. */
  ownMs: number[];
  /** Requests without an answer, or answered with an error. */
  failed: number;
};

const TIMEOUT_MS = 15_000;

/**
 * Views a page at a fixed rate over HTTP/1.1 keep-alive, whether answers come or not, and measures from when each view
 * was due: a closed loop would hide a stall by asking less. The connection answered last is used first, as a shopper's
 * is who goes on at once: whatever delays the next request of a connection shows.
 */
export async function openLoop(options: OpenLoopOptions): Promise<OpenLoop> {
  const { port, path, ratePerSecond, seconds, connections = 1024 } = options;
  const total = Math.round(ratePerSecond * seconds);
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: hotitem-bench\r\n\r\n`);
  const latenciesMs = Array.from<number>({ length: total }).fill(0);
  const latenessMs = Array.from<number>({ length: total }).fill(0);
  const idle: HttpConnection[] = [];
  const waiting: number[] = [];
  let open = 0;
  let answered = 0;
  let failed = 0;
  let began = 0;

  const giveWay = goFirst();
  const pacer = new Worker(new URL('./pacer.mjs', import.meta.url), { workerData: { ratePerSecond, total } });
  await new Promise<void>((resolve, reject) => {
    pacer.on('error', reject);
    pacer.once('message', (start: number) => {
      began = start - performance.timeOrigin;
      pacer.on('message', (i: number) => {
        latenessMs[i] = performance.now() - dueAt(i);
        waiting.push(i);
        dispatch();
      });
    });

    function dispatch(): void {
      while (waiting.length > 0) {
        const connection = idle.pop() ?? another();
        if (connection === undefined) return;
        void view(connection, waiting.shift() ?? 0);
      }
    }

    async function view(connection: HttpConnection, i: number): Promise<void> {
      const status = await connection.send(request).catch(() => 0);
      latenciesMs[i] = performance.now() - dueAt(i);
      if (status !== 200) failed++;
      if (connection.usable()) idle.push(connection);
      else open--;
      answered++;
      if (answered === total) resolve();
      else dispatch();
    }
  });
  for (const connection of idle) connection.close();
  await pacer.terminate();
  giveWay();
  const ownMs = latenciesMs.map((latency, i) => latency - (latenessMs[i] ?? 0));
  return { latenciesMs, latenessMs, ownMs, failed };

  function dueAt(i: number): number {
    return began + (i / ratePerSecond) * 1000;
  }

  function another(): HttpConnection | undefined {
    if (open === connections) return undefined;
    open++;
    return openConnection({ port, timeoutMs: TIMEOUT_MS });
  }
}

/**
 * Shoppers are on other machines: what is measured must not keep the sender from sending, where this user may say so.
 * Returns what takes it back; processes that are started in between would inherit it.
 */
function goFirst(): () => void {
  const before = getPriority();
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
  } catch {
    return () => {};
  }
  return () => setPriority(before);
}
