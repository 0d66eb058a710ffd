import { join, resolve, sep } from 'node:path';
import { chooseBreaker } from '../../nginx-setup/breaker.ts';
import { wayFindings } from '../../nginx-setup/check/way-rules.ts';
import { includeSettings } from '../../nginx-setup/includes.ts';
import { type InstallOptions, installNginx } from '../../nginx-setup/install.ts';
import { installTested } from '../../nginx-setup/install-tested.ts';
import { nginxProgram } from '../../nginx-setup/program/program.ts';
import type { Config } from '../../service/config/config.ts';
import { SYSTEM_PATHS } from '../../service/config/system-paths.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { installDiff, installText } from '../nginx-install-report.ts';
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
    for (const { id, severity, what, why, fix } of await wayFindings(written, nginx || undefined))
      tell(`hotitem: ${severity}: ${what}: ${why}. ${fix}  [${id}]\n`);
    if (!onlyLooks) print(`\n${isFirst(result.files) ? nextSteps(folder, config) : RELOAD}`);
    return 0;
  },
};

const RELOAD = 'Check and apply: nginx -t && nginx -s reload\n';

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

function nextSteps(
  dir: string,
  { intake, spill }: { intake: { socket: string }; spill: { dir: string } },
): string {
  return `Set which path shows which item in ${join(dir, 'items.conf')}. Then, in nginx.conf:

  http {
      include ${join(dir, 'http.conf')};          # off.conf in its place captures nothing
      server {
          include ${join(dir, 'server.conf')};
          location /web/item/ {                   # the location of your item pages
              include ${join(dir, 'capture-subrequest.conf')};
              rewrite ^/web(/item/.*)$ $1 last;   # only if your pages have other paths, here /item/
          }
      }
  }

nginx needs njs: Debian's libnginx-mod-http-js, or nginx-module-njs of nginx.org and a load_module line. Without njs, use
http-log.conf in place of http.conf, capture-log.conf in place of capture-subrequest.conf, and no server.conf.
So that nginx knows which items are hot: http-hot.conf in http, server-hot.conf in the server, hot.conf in the location of the item pages.
Its workers need write access to the socket ${intake.socket} and to the folder ${spill.dir}.
${RELOAD}`;
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
