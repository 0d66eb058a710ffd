import { userInfo } from 'node:os';
import type { HotCommand } from '../../heat/hot-command.ts';
import type { ExplainedItem, WholeHotList } from '../../heat/hot-list.ts';
import type { PurgeOrder } from '../../heat/run-hot-command.ts';
import type { Purged } from '../../protect/purge.ts';
import { Trouble } from '../../service/trouble.ts';
import { askControl, rejection } from '../ask-control.ts';

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

async function ask(
  socket: string,
  path: string,
  { command, timeoutMs }: { command?: HotCommand; timeoutMs?: number } = {},
): Promise<unknown> {
  const answer = await askControl(socket, path, { body: command, timeoutMs });
  if (answer.status === 200 && answer.value !== undefined) return answer.value;
  if (answer.status !== 404) throw rejection(answer);
  throw new Trouble(
    'the sidecar does not detect hot items',
    'heat.enabled is false, or the sidecar has an older version.',
  );
}
