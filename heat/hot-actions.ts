import * as z from 'zod';
import type { Action } from '../service/admin/admin-actions.ts';
import { bodyWords } from '../service/config/issue-words.ts';
import type { HotCommand } from './hot-command.ts';
import type { HotSource } from './hot-routes.ts';
import { runHotCommand } from './run-hot-command.ts';

/** Commands by the path of their action. */
const COMMANDS = {
  '/api/v1/hot/pin': 'pin',
  '/api/v1/hot/ban': 'ban',
  '/api/v1/hot/clear': 'clear',
  '/api/v1/hot/freeze': 'freeze',
  '/api/v1/hot/thaw': 'thaw',
  '/api/v1/purge': 'purge',
} as const satisfies Record<string, HotCommand['do']>;

const BY_API = 'by the API';

/** What is the same in each; the rest is checked as a command of the owner is. */
const request = z.looseObject({
  reason: z.string().optional(),
  by: z.string().min(1).max(100).optional(),
  all: z.literal(true).optional(),
});

/**
 * What the holder of the token may do: the commands of `hotitem hot` and `hotitem purge`, as JSON. `reason` and `by` are for the audit log,
 * where `by` stands behind `api`: a token does not say who holds it. A purge names an `item`, or says `all: true`.
 */
export function createHotActions(
  source: Pick<HotSource, 'command' | 'purge' | 'whole'>,
): Record<string, Action> {
  return Object.fromEntries(
    Object.entries(COMMANDS).map(([path, command]): [string, Action] => [
      path,
      (body) => act(source, command, body),
    ]),
  );
}

async function act(
  source: Pick<HotSource, 'command' | 'purge' | 'whole'>,
  command: HotCommand['do'],
  body: unknown,
): ReturnType<Action> {
  const read = request.safeParse(body, { reportInput: true });
  if (!read.success) return wrong(bodyWords(read.error.issues));
  const { reason = BY_API, by, all, ...rest } = read.data;
  if ('do' in rest) return wrong('do: the path says what to do');
  if (command === 'purge' && all !== ('item' in rest ? undefined : true))
    return wrong('item: must be there, or all: true in its place');
  if (command !== 'purge' && all !== undefined) return wrong('all: is for a purge only');
  const { status, error, purged } = await runHotCommand(source, {
    ...rest,
    do: command,
    reason,
    by: by === undefined ? 'api' : `api: ${by}`,
  });
  if (error !== undefined) return { status, value: { error } };
  const { now, version, frozen } = source.whole();
  return {
    status,
    value: {
      done: command,
      ...('item' in rest && { item: rest.item }),
      now,
      version,
      frozen: frozen !== undefined,
      ...(purged !== undefined && { pages: purged }),
    },
  };
}

function wrong(error: string): { status: number; value: object } {
  return { status: 400, value: { error } };
}
