import { inspectNginx, type NginxBuild, systemNginx } from '../nginx-setup/program/inspect.ts';
import { compareVersions } from '../nginx-setup/program/version.ts';
import { obtainNginx } from './nginx-tree.ts';
import { ProvisionError } from './provision-error.ts';
import type { Downloading, Report } from './report.ts';
import { OLDEST_NJS } from './versions.ts';

export { type NginxBuild, obtainNginx };

type FindOptions = { report: Report; downloading?: Downloading | undefined; env?: NodeJS.ProcessEnv };

const OTHER_WAYS =
  'Name an nginx that has njs with HOTITEM_NGINX (and its module with HOTITEM_NGINX_JS_MODULE), or use Docker: docker compose up';

/**
 * An nginx to run the shop with: the one that `HOTITEM_NGINX` names, else the installed one if its njs is new enough, else Debian's,
 * unpacked privately. Throws a `ProvisionError` that names the alternatives.
 */
export async function findNginx({
  report,
  downloading,
  env = process.env,
}: FindOptions): Promise<NginxBuild> {
  if (env.HOTITEM_NGINX) return named(env.HOTITEM_NGINX, env);

  const system = systemNginx(env);
  const installed = system === undefined ? { reason: 'nginx is not installed' } : await inspectNginx(system);
  if (!('reason' in installed) && compareVersions(installed.njs, OLDEST_NJS) >= 0) return installed;
  if ('reason' in installed) report(`${installed.reason}: using another one`);
  else report(`${system} has njs ${installed.njs}, older than ${OLDEST_NJS}: using another one`);

  try {
    return await obtainNginx({ suite: 'trixie', report, downloading });
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    throw new ProvisionError(`no nginx with njs: ${error.message}`, {
      hint: `${error.hint} ${OTHER_WAYS}`,
      cause: error,
    });
  }
}

async function named(name: string, env: NodeJS.ProcessEnv): Promise<NginxBuild> {
  const build = await inspectNginx(systemNginx(env, name) ?? name, env.HOTITEM_NGINX_JS_MODULE);
  if ('reason' in build) {
    throw new ProvisionError(`HOTITEM_NGINX: ${build.reason}`, {
      hint: 'Install its njs module (Debian: libnginx-mod-http-js, nginx.org: nginx-module-njs), name the module with HOTITEM_NGINX_JS_MODULE, or unset HOTITEM_NGINX.',
    });
  }
  return build;
}
