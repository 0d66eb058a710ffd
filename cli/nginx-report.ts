import { resolve } from 'node:path';
import { checkNginx, type NginxReport } from '../nginx-setup/check/check-nginx.ts';
import { includeSettings } from '../nginx-setup/includes.ts';
import { nginxProgram } from '../nginx-setup/program/program.ts';
import { runningNginx } from '../nginx-setup/program/running-nginx.ts';
import type { Config } from '../service/config/config.ts';
import { Trouble } from '../service/trouble.ts';
import type { CommandContext } from './command.ts';

/** Checks the given nginx, or the one of this host. Throws a `Trouble` if there is none. */
export async function nginxReport(
  { flags, positionals, env }: CommandContext,
  config: Config,
): Promise<NginxReport> {
  const program = nginxProgram(env, positionals[0]);
  if (program === undefined) {
    throw new Trouble(
      'no nginx is installed on the PATH',
      'Pass its path: hotitem check --nginx /path/to/nginx',
    );
  }
  const conf = typeof flags.conf === 'string' ? resolve(flags.conf) : await confOf(program);
  return checkNginx({
    command: [program],
    ...(conf !== undefined && { conf }),
    sidecar: includeSettings(config),
  });
}

/** The configuration file of the running nginx of this program, if it was started with another than the default. */
async function confOf(program: string): Promise<string | undefined> {
  const path = resolve(program);
  const running = (await runningNginx()).filter((one) => one.program === path || one.program === program);
  const confs = new Set(running.map(({ conf }) => conf));
  return confs.size === 1 ? [...confs][0] : undefined;
}
