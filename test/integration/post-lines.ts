import { randomBytes } from 'node:crypto';
import { request } from 'node:http';

/** The line of a view that nginx saw at `time`, ms since 1970. */
export function lineAt(time: number, item = 4711): string {
  const msec = (time / 1000).toFixed(3);
  const id = randomBytes(16).toString('hex');
  return `2\t${msec}\t${id}\t203.0.113.7\tGET\tshop\t/web/item/${item}.html\t${item}\t\t\t\tMozilla/5.0`;
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
