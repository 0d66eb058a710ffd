import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { BROWSER } from '../parts/load.ts';

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

/** Hands lines to a sidecar as nginx does. Rejects unless it took them. */
export function postLines(socketPath: string, lines: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/v1/lines', method: 'POST' }, (response) => {
      response.resume();
      if (response.statusCode === 204) resolve();
      else reject(new Error(`the sidecar answers ${response.statusCode}`));
    });
    asked.on('error', reject);
    asked.end(`${lines.join('\n')}\n`);
  });
}
