import { request } from 'node:http';
import { userInfo } from 'node:os';
import { OWNER_ONLY } from '../../app/owner-only.ts';
import type { HotCommand } from '../../heat/hot-command.ts';
import type { ExplainedItem, WholeHotList } from '../../heat/hot-list.ts';
import type { PurgeOrder } from '../../heat/run-hot-command.ts';
import type { Purged } from '../../protect/purge.ts';
import { toJson } from '../../service/json-text.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';

/** A busy machine, or a slow disk, is no reason to say that nothing answers. */
const TIMEOUT_MS = 15_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** Reads the hot list from the sidecar at a control socket. Rejects with a `Trouble`. */
export async function askHot(socket: string): Promise<WholeHotList> {
  return (await ask(socket, '/v1/hot')) as WholeHotList;
}

/** Sends a command to the sidecar. Returns the new hot list. */
export async function commandHot(socket: string, command: HotCommand): Promise<WholeHotList> {
  return (await ask(socket, '/v1/hot', { command })) as WholeHotList;
}

/** Has pages asked for now. Returns what became of each. */
export async function purgePages(socket: string, order: PurgeOrder, timeoutMs: number): Promise<Purged[]> {
  const answer = await ask(socket, '/v1/hot', { command: { do: 'purge', ...order }, timeoutMs });
  return (answer as { purged: Purged[] }).purged;
}

/** Everything known about an item. */
export async function explainHot(socket: string, item: string): Promise<ExplainedItem> {
  return (await ask(socket, `/v1/hot/item?item=${encodeURIComponent(item)}`)) as ExplainedItem;
}

/** The login of the operator, for the audit log; also behind sudo. */
export function asker(env: Record<string, string | undefined>): string {
  const { username } = userInfo();
  const { SUDO_USER: behind = '' } = env;
  return behind === '' || behind === username ? username : `${behind} as ${username}`;
}

function ask(
  socketPath: string,
  path: string,
  { command, timeoutMs = TIMEOUT_MS }: { command?: HotCommand; timeoutMs?: number } = {},
): Promise<unknown> {
  const method = command === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= MOST_BYTES) chunks.push(chunk);
      });
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const value = toJson(text);
        if (response.statusCode === 200 && value !== undefined) resolve(value);
        else reject(refusal(response.statusCode ?? 0, value));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', (error: NodeJS.ErrnoException) => reject(troubleOf(error, socketPath)));
    asked.end(command === undefined ? undefined : JSON.stringify(command));
  });
}

function refusal(status: number, value: unknown): Trouble {
  if (status === 404)
    return new Trouble(
      'the sidecar does not detect hot items',
      'heat.enabled is false, or the sidecar has an older version.',
    );
  const said =
    typeof value === 'object' && value !== null && 'error' in value
      ? String(value.error)
      : `status ${status}`;
  return new Trouble(`the sidecar rejected it: ${plainText(said, 300)}`);
}

function troubleOf({ code, message }: NodeJS.ErrnoException, socket: string): Trouble {
  if (code === 'EACCES') return new Trouble(`no permission to connect to ${socket}`, OWNER_ONLY);
  return new Trouble(
    `nothing answers at ${socket} (${message})`,
    'Is the sidecar running? It listens on control.socket.',
  );
}
