import { resolve, sep } from 'node:path';
import { chooseBreaker } from '../../nginx-setup/breaker.ts';
import { wayFindings } from '../../nginx-setup/check/way-rules.ts';
import type { Worker } from '../../nginx-setup/conf/worker.ts';
import { groupOf, workerOf } from '../../nginx-setup/found-nginx.ts';
import { includeSettings } from '../../nginx-setup/includes.ts';
import { type InstallOptions, installNginx } from '../../nginx-setup/install.ts';
import { installTested } from '../../nginx-setup/install-tested.ts';
import { inspectNginx } from '../../nginx-setup/program/inspect.ts';
import { nginxProgram } from '../../nginx-setup/program/program.ts';
import { nginxVersion } from '../../nginx-setup/program/version.ts';
import type { Config } from '../../service/config/config.ts';
import { SYSTEM_PATHS } from '../../service/config/system-paths.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { installDiff, installText } from '../nginx-install-report.ts';
import { nextSteps, RELOAD, type StepsNginx } from '../nginx-next-steps.ts';
import { UsageError } from '../parse-command-line.ts';
import { print, tell } from '../terminal.ts';

export const nginxInstall: Command = {
  about: 'writes the nginx includes and scripts to a folder',
  options: {
    dir: { type: 'string', placeholder: 'FOLDER', about: 'the folder (nginx.dir: /etc/nginx/hotitem)' },
    engine: {
      type: 'string',
      placeholder: 'njs|qjs',
      about: 'the engine that runs the script (nginx.engine)',
    },
    breaker: {
      type: 'string',
      placeholder: 'HOST:PORT',
      about:
        'loopback address of the breaker, where nginx itself answers views while the sidecar is unavailable (nginx.breaker)',
    },
    'nginx-conf': { type: 'string', placeholder: 'FILE', about: 'the nginx.conf that includes them' },
    'dry-run': { type: 'boolean', about: 'only print what would be written' },
    diff: { type: 'boolean', about: 'only show how each file would change' },
  },
  configured: true,
  async run(context) {
    const { dir, engine, breaker, 'nginx-conf': conf, 'dry-run': dryRun, diff, ...flags } = context.flags;
    if (engine !== undefined && engine !== 'njs' && engine !== 'qjs')
      throw new UsageError(`--engine: must be njs or qjs (got ${engine})`);
    const config = configure({ ...context, flags });
    requireWholeHome(config);
    const folder = resolve(typeof dir === 'string' ? dir : config.nginx.dir);
    const onlyLooks = dryRun === true || diff === true;
    const options: InstallOptions = {
      ...includeSettings(config),
      dir: folder,
      dryRun: onlyLooks,
      ...(engine !== undefined && { engine }),
      ...(typeof breaker === 'string' && { breaker }),
    };
    const { address, about } = chooseBreaker(folder, options.breaker);
    const program = nginxProgram(context.env, undefined);
    const nginx = program !== undefined && {
      command: [program],
      ...(typeof conf === 'string' && { conf: resolve(conf) }),
    };
    const result = onlyLooks || !nginx ? await installNginx(options) : await installTested(options, nginx);
    if (diff === true) print((await installDiff(result)) || `${folder} is up to date.\n`);
    else
      print(
        `${installText(result, folder, onlyLooks)}\nBreaker, where nginx itself answers views while the sidecar is unavailable: ${address}, ${about}\n${passing({ engine, breaker })}`,
      );
    const written = { 'intake.socket': config.intake.socket, 'spill.dir': config.spill.dir };
    const worker = nginx ? await workerOf(nginx) : undefined;
    for (const { id, severity, what, why, fix } of await wayFindings(written, worker))
      tell(`hotitem: ${severity}: ${what}: ${why}. ${fix}  [${id}]\n`);
    if (!onlyLooks)
      print(
        `\n${isFirst(result.files) ? nextSteps(folder, config, nginx ? await look(nginx.command, worker) : undefined) : RELOAD}`,
      );
    return 0;
  },
};

/** Undefined if that is not a working nginx. */
async function look(command: string[], worker: Worker | undefined): Promise<StepsNginx | undefined> {
  const [program = ''] = command;
  const [version, found] = await Promise.all([nginxVersion(command), inspectNginx(program)]);
  if (version === undefined) return undefined;
  return {
    version,
    njs: 'reason' in found ? undefined : found.njs,
    group: worker && (await groupOf(worker)),
  };
}

/** Flags apply to this call only; the next one does not know them. */
function passing(flags: { engine: string | undefined; breaker: string | boolean | undefined }): string {
  const given = Object.entries(flags).filter(([, value]) => typeof value === 'string');
  if (given.length === 0) return '';
  const lines = given.map(([name, value]) => `  ${name}: ${value}`);
  return `\nTo keep this for the next install, set in hotitem.yml:\nnginx:\n${lines.join('\n')}\n`;
}

function isFirst(files: { before: string | undefined }[]): boolean {
  return files.every(({ before }) => before === undefined);
}

/** A relative path would be another one for the sidecar. Throws a `Trouble`. */
function requireWholeHome({ home, homeIsRelative, intake, spill, heat }: Config): void {
  const below = [intake.socket, spill.dir, heat.dir].filter((path) => path.startsWith(`${home}${sep}`));
  if (!homeIsRelative || below.length === 0) return;
  throw new Trouble(
    `home: must be an absolute path here, as nginx is told ${below.join(', ')} (got a relative one, here ${home})`,
    `Set it to the sidecar's value, in ${SYSTEM_PATHS.config} (home: ${SYSTEM_PATHS.home}) or with --home. Nothing was written.`,
  );
}
