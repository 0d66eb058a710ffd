import type { Action, Actions } from '../service/admin/admin-actions.ts';
import { readControlToken } from '../service/admin/control-token.ts';
import { ConfigError } from '../service/config/config.ts';
import { reasonOf } from '../service/log.ts';
import type { Core } from './core.ts';

/**
 * Control on the admin listener, where `admin.control_token_file` is set. The file is read at each request, so a new token is in effect at
 * once. Throws a `ConfigError` if it cannot be used now.
 */
export function wireControl(
  { config, now, log, warn }: Core,
  routes: Record<string, Action>,
  noteRefused: (path: string, from: string) => void,
): Actions | undefined {
  const { control_token_file: path } = config.admin;
  if (path === undefined) return undefined;
  const token = () => readControlToken(path, process.getuid?.() ?? 0);
  try {
    token();
  } catch (error) {
    throw new ConfigError([`admin.control_token_file: ${path}: ${reasonOf(error)}`], config.source.file);
  }
  return {
    routes,
    token,
    now,
    warn,
    onWrongToken({ path, from }) {
      noteRefused(path, from);
      log.warn({ path, from }, 'control refused: the token is wrong');
    },
  };
}
