import { resolve } from 'node:path';
import type { Command } from './command.ts';
import { configure } from './configure.ts';
import { installNginx } from './nginx-install.ts';
import { UsageError } from './parse-command-line.ts';
import { print } from './terminal.ts';

export const nginxInstall: Command = {
  about: 'writes the nginx includes and scripts, with their paths, into a folder',
  options: {
    dir: { type: 'string', placeholder: 'FOLDER', about: 'where they go, for example /etc/nginx/hotitem' },
    engine: { type: 'string', placeholder: 'njs|qjs', about: 'which engine runs the script (njs)' },
    breaker: {
      type: 'string',
      placeholder: 'HOST:PORT',
      about: 'loopback address that nginx answers itself on (127.0.0.1:9189)',
    },
    'dry-run': { type: 'boolean', about: 'only say what would be written' },
  },
  configured: true,
  async run(context) {
    const { dir, engine = 'njs', breaker, 'dry-run': dryRun = false, ...flags } = context.flags;
    if (typeof dir !== 'string') throw new UsageError('nginx install: --dir FOLDER is missing');
    if (engine !== 'njs' && engine !== 'qjs')
      throw new UsageError(`--engine: must be njs or qjs (got ${engine})`);
    const { intake, spill } = configure({ ...context, flags });
    const { files, next } = await installNginx({
      dir: resolve(dir),
      socket: intake.socket,
      spill: spill.dir,
      spillMaxBytes: spill.max_bytes,
      engine,
      dryRun: dryRun === true,
      ...(typeof breaker === 'string' && { breaker }),
    });
    const lines = files.map(({ path, outcome }) => `${outcome.padEnd(10)}${path}`);
    print(`${lines.join('\n')}\n\n${next}`);
    return 0;
  },
};
