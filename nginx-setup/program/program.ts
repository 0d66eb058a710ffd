import { Trouble } from '../../service/trouble.ts';
import { systemNginx } from './inspect.ts';

/**
 * The nginx to use: `named` on the command line, else HOTITEM_NGINX, else the installed one. Undefined if none is named and none is
 * installed. Throws a `Trouble` if the named one does not exist.
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
