import type { Action, Actions } from '../service/admin/admin-actions.ts';
import { readControlToken } from '../service/admin/control-token.ts';
import { reasonOf } from '../service/log.ts';
import type { Core } from './core.ts';

/**
 * Control on the admin listener, where `admin.control_token_file` is set. The file is read at each request, so a new token is in effect at
 * once. While it cannot be used, control is refused, and everything else goes on.
 */
export function wireControl(
  { config, now, log, warn }: Pick<Core, 'config' | 'now' | 'log' | 'warn'>,
  routes: Record<string, Action>,
  noteRefused: (path: string, from: string) => void,
): Actions | undefined {
  const { control_token_file: path } = config.admin;
  if (path === undefined) return undefined;
  const actions: Actions = {
    routes,
    token: () => readControlToken(path, process.getuid?.() ?? 0),
    now,
    onNoToken(error) {
      warn('control token', 'admin.control_token_file cannot be used: control is refused', {
        file: path,
        reason: reasonOf(error),
      });
    },
    onWrongToken({ path, from, peer }) {
      noteRefused(path, from === peer ? peer : `${from} through ${peer}`);
      log.warn({ path, from, peer }, 'control refused: the token is wrong');
    },
  };
  try {
    actions.token();
  } catch (error) {
    actions.onNoToken(error);
  }
  return actions;
}
