import { request } from 'node:http';
import { OWNER_ONLY } from '../app/owner-only.ts';
import { toJson } from '../service/json-text.ts';
import { plainText } from '../service/plain-text.ts';
import { Trouble } from '../service/trouble.ts';

/** A busy machine, or a slow disk, is no reason to say that nothing answers. */
const TIMEOUT_MS = 15_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** In characters. */
const MOST_SHOWN = 300;

/** `value`: its JSON; undefined if it is none. `start`: how the body starts. */
export type ControlAnswer = { status: number; value: unknown; start: string };

/** Asks the sidecar at a control socket; with a `body`, to change something. Rejects with a `Trouble` if it does not answer. */
export function askControl(
  socketPath: string,
  path: string,
  { body, timeoutMs = TIMEOUT_MS }: { body?: object | undefined; timeoutMs?: number | undefined } = {},
): Promise<ControlAnswer> {
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const options = { socketPath, path, method, timeout: timeoutMs, agent: false };
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= MOST_BYTES) chunks.push(chunk);
      });
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          value: toJson(text),
          start: text.slice(0, MOST_SHOWN).trim(),
        });
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', (error: NodeJS.ErrnoException) => reject(troubleOf(error, socketPath)));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What an answer says that is not the expected one. */
export function rejection({ status, value, start }: ControlAnswer): Trouble {
  const said =
    typeof value === 'object' && value !== null && 'error' in value
      ? String(value.error)
      : start || `status ${status}`;
  return new Trouble(`the sidecar rejected it: ${plainText(said, MOST_SHOWN)}`);
}

function troubleOf({ code, message }: NodeJS.ErrnoException, socket: string): Trouble {
  if (code === 'EACCES') return new Trouble(`no permission to connect to ${socket}`, OWNER_ONLY);
  return new Trouble(
    `nothing answers at ${socket} (${message})`,
    'Is the sidecar running? It listens on control.socket.',
  );
}
