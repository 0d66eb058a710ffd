import { Trouble } from '../../service/trouble.ts';
import { systemNginx } from './inspect.ts';

/**
 * The nginx that is meant: `named` on the command line, else by HOTITEM_NGINX, else the one of this host. Undefined where none is named
 * and there is none; throws a `Trouble` where the named one is not there.
 */
export function nginxProgram(
  env: Record<string, string | undefined>,
  named: string | undefined,
): string | undefined {
  const name = named ?? (env.HOTITEM_NGINX || undefined);
  const program = systemNginx(env, name);
  if (name !== undefined && program === undefined)
    throw new Trouble(
      `${name} does not exist`,
      'A name is searched on the PATH; a path has a slash: ./nginx',
    );
  return program;
}
