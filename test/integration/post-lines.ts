import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { BROWSER } from '../parts/load.ts';
import { until } from '../parts/until.ts';

type SeenView = {
  item?: string;
  time?: number;
  ip?: string;
  host?: string;
  target?: string;
  agent?: string;
  referrer?: string;
};

/** The line of a view that nginx saw at `time`, ms since 1970; by a person unless `agent` says otherwise. */
export function lineOf({
  item = '4711',
  time = Date.now(),
  ip = '203.0.113.7',
  host = 'shop',
  target = `/web/item/${item}.html`,
  agent = BROWSER,
  referrer = '',
}: SeenView = {}): string {
  const id = randomBytes(16).toString('hex');
  return `2\t${(time / 1000).toFixed(3)}\t${id}\t${ip}\tGET\t${host}\t${target}\t${item}\t${referrer}\t\t\t${agent}`;
}

/** The line of a view at `time`, of a browser that says as little as bots do. */
export function lineAt(time: number, item = 4711): string {
  return lineOf({ time, item: String(item), agent: 'Mozilla/5.0' });
}

/** The address of visitor `i`. */
export function addressOf(i: number): string {
  return `198.51.${i >> 8}.${i & 255}`;
}

/** Hands lines to a sidecar as nginx does, again where it is too busy. Rejects unless it took them. */
export async function postLines(socketPath: string, lines: string[]): Promise<void> {
  await until(async () => (await tryPost(socketPath, lines)) === 204, {
    timeoutMs: 60_000,
    what: 'the sidecar to take lines',
  });
}

/** Hands lines to a sidecar once: 204 where it took them, 503 where it did not. Rejects for any other answer. */
export async function tryPost(socketPath: string, lines: string[]): Promise<204 | 503> {
  const status = await post(socketPath, `${lines.join('\n')}\n`);
  if (status !== 204 && status !== 503) throw new Error(`the sidecar answers ${status}`);
  return status;
}

function post(socketPath: string, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    // A new connection: a kept one may be closed just then.
    const options = { socketPath, path: '/v1/lines', method: 'POST', agent: false };
    const asked = request(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
