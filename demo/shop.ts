import { join } from 'node:path';
import { DEFAULT_KEEPER, nginxTemplate } from '../nginx-setup/includes.ts';
import { type InstallOptions, installNginx, putWhole, refuse } from '../nginx-setup/install.ts';
import {
  addressProblem,
  characterProblem,
  pathProblem,
  renderTemplate,
  socketProblem,
} from '../nginx-setup/template.ts';
import { makeFolder } from '../service/make-folder.ts';
import { PACKAGE_ROOT } from '../service/package-root.ts';

export type ShopOptions = Omit<InstallOptions, 'dir' | 'dryRun'> & {
  /** The folder for nginx.conf, includes, pid, log and temporary files: everything except the socket and the spill folder. */
  folder: string;
  /** The shop's address, such as 127.0.0.1:8080. */
  listen: string;
  /** A file of nginx/examples. Default shop. */
  example?: 'shop' | 'in-place' | 'log' | 'php-fpm' | 'protect';
  /** The folder of pages. Default: the small catalogue of the examples. */
  pages?: string;
  /** `host:port` of the application that `in-place` and `protect` proxy to. Default 127.0.0.1:8081. */
  origin?: string;
  /** Whether `shop` and `protect` include http-batch.conf, which needs njs 0.8.1. */
  hasBatch?: boolean;
  /** The socket of the php-fpm that `php-fpm` passes pages to. */
  php?: string;
  /** The path of ngx_http_js_module.so; undefined if njs is compiled in. */
  module?: string;
  /** The user of the workers. Only root can set it, and must: the default user can access neither the socket nor the spill folder. */
  user?: string;
  /** Default 2. */
  workers?: number;
};

export type Shop = {
  /** The path for `nginx -c`. */
  conf: string;
  errorLog: string;
  pidFile: string;
};

/**
 * Writes one of the example configurations as a complete nginx.conf with its includes, and creates the folders that nginx expects.
 * Throws like `installNginx`.
 */
export async function renderShop(options: ShopOptions): Promise<Shop> {
  const { folder, listen, example = 'shop', workers = 2, php, user, module: jsModule } = options;
  const pages = options.pages ?? join(PACKAGE_ROOT, 'nginx', 'examples', 'pages');
  const origin = options.origin ?? '127.0.0.1:8081';
  refuse([
    pathProblem('folder', folder),
    pathProblem('pages', pages),
    addressProblem('listen', listen),
    addressProblem('origin', origin),
    php === undefined ? undefined : socketProblem('php', php),
    jsModule === undefined ? undefined : pathProblem('module', jsModule),
    user === undefined ? undefined : characterProblem('user', user),
    Number.isInteger(workers) && workers > 0
      ? undefined
      : `workers: must be a whole number above 0 (got ${workers})`,
  ]);

  const dir = join(folder, 'hotitem');
  const run = join(folder, 'run');
  await installNginx({ ...options, dir });
  makeFolder(run, 0o755);
  // nginx may start before the sidecar, and could not spill without this folder.
  makeFolder(options.spill, 0o750);

  const conf = join(folder, 'nginx.conf');
  const template = await nginxTemplate(join('examples', `${example}.conf`));
  const { keeper = DEFAULT_KEEPER } = options;
  const values = {
    dir,
    batch: options.hasBatch === true ? dir : undefined,
    run,
    listen,
    keeper,
    pages,
    origin,
    php,
    module: jsModule,
    user,
    workers: String(workers),
  };
  await putWhole(conf, renderTemplate(template, values));
  return { conf, errorLog: join(run, 'error.log'), pidFile: join(run, 'nginx.pid') };
}
