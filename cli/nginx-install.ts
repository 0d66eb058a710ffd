import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { NginxInstallError } from './nginx-install-error.ts';
import { installedVersion, signInclude } from './nginx-install-version.ts';
import { addressProblem, pathProblem, renderTemplate, socketProblem } from './nginx-template.ts';

export type NginxEngine = 'njs' | 'qjs';

export type InstallOptions = {
  /** Where the includes and the scripts go, absolute. Made when missing. */
  dir: string;
  /** The sidecar's unix socket. */
  socket: string;
  /** The folder of the spill files. */
  spill: string;
  /** How much it may hold, in bytes. Default 1 GiB. */
  spillMaxBytes?: number;
  /** The loopback address on which nginx answers itself while the sidecar is down. Default 127.0.0.1:9189. */
  breaker?: string;
  /** Which engine runs the script: `qjs` needs njs 1.0.1 built with QuickJS. Default njs. */
  engine?: NginxEngine;
  /** Report what would be written and write nothing. */
  dryRun?: boolean;
};

export type InstalledFile = {
  path: string;
  /** `kept`: the operator's own edition stays, ours lies beside it with the ending `.new`. */
  outcome: 'written' | 'unchanged' | 'kept';
};

export type InstallResult = {
  files: InstalledFile[];
  /** What to add to nginx.conf, ready to be printed. */
  next: string;
};

/** The address of the breaker's other side where none is given. */
export const DEFAULT_BREAKER = '127.0.0.1:9189';
const DEFAULT_SPILL_MAX_BYTES = 1024 ** 3;

const INCLUDES = [
  'http.conf',
  'http-batch.conf',
  'http-log.conf',
  'line.conf',
  'log.conf',
  'log-cut.conf',
  'log-limit.conf',
  'off.conf',
  'off-batch.conf',
  'fetch-njs.conf',
  'fetch-qjs.conf',
  'engine-njs.conf',
  'engine-qjs.conf',
  'server.conf',
  'capture-subrequest.conf',
  'capture-batch.conf',
  'capture-log.conf',
  'realip.conf.example',
  'privacy.conf.example',
];
const SCRIPTS = ['hotitem.njs.js', 'hotitem.qjs.js', 'hotitem-periodic.njs.js', 'hotitem-periodic.qjs.js'];

/**
 * Renders the includes for one nginx and puts them into `dir` with the scripts of both engines, each file whole or not
 * at all. An `items.conf` that is there already is never overwritten. Safe to repeat.
 * Throws NginxInstallError, before anything is written, on a value that nginx would misread or a missing bundle.
 */
export async function installNginx(options: InstallOptions): Promise<InstallResult> {
  const { dir, socket, spill, breaker = DEFAULT_BREAKER, engine = 'njs', dryRun = false } = options;
  const { spillMaxBytes = DEFAULT_SPILL_MAX_BYTES } = options;
  refuse([
    pathProblem('dir', dir) ?? sweptProblem(dir),
    socketProblem('socket', socket),
    pathProblem('spill', spill),
    addressProblem('breaker', breaker),
    engine === 'njs' || engine === 'qjs'
      ? undefined
      : `engine: must be njs or qjs (got ${JSON.stringify(engine)})`,
  ]);

  const values = { dir, socket, spill, breaker, engine, spillmax: String(spillMaxBytes) };
  const version = await installedVersion();
  const includes = await Promise.all(
    INCLUDES.map(async (name) => {
      const text = renderTemplate(await nginxTemplate(name), values);
      return { name, text: signInclude(text, version) };
    }),
  );
  const scripts = await Promise.all(SCRIPTS.map(async (name) => ({ name, text: await builtScript(name) })));
  const items = await nginxTemplate('items.conf');

  const files: InstalledFile[] = [];
  for (const { name, text } of [...includes, ...scripts]) {
    files.push(await put(join(dir, name), text, dryRun));
  }
  files.push(...(await putItems(dir, items, dryRun)));
  return { files, next: nextSteps(options) };
}

/** Folders of which nginx.conf usually includes every file, into one block; each of ours belongs to a block of its own. */
const SWEPT = ['conf.d', 'default.d', 'modules-enabled', 'sites-enabled', 'vhosts.d'];

function sweptProblem(dir: string): string | undefined {
  const name = basename(dir);
  if (!SWEPT.includes(name)) return undefined;
  return `dir: nginx.conf includes all files of a folder ${name} into one block, and would refuse ours (got ${JSON.stringify(dir)}); take ${JSON.stringify(join(dirname(dir), 'hotitem'))}`;
}

/** A template below `nginx/`, as it lies in the package. */
export function nginxTemplate(name: string): Promise<string> {
  return readFile(join(PACKAGE_ROOT, 'nginx', name), 'utf8');
}

/** Throws one NginxInstallError that names all problems, if there is any. */
export function refuse(problems: (string | undefined)[]): void {
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return;
  throw new NginxInstallError('BAD_OPTION', found.join('\n'), {
    hint: 'choose another value, nothing was written',
  });
}

/** Writes `path` whole or not at all: temporary file, fsync, rename. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function builtScript(name: string): Promise<string> {
  const path = join(PACKAGE_ROOT, 'dist', 'nginx', name);
  const text = await readIfThere(path);
  if (text !== undefined) return text;
  throw new NginxInstallError('NOT_BUILT', `${path} is missing`, { hint: 'build it first: npm run build' });
}

async function putItems(dir: string, text: string, dryRun: boolean): Promise<InstalledFile[]> {
  const path = join(dir, 'items.conf');
  const theirs = await readIfThere(path);
  if (theirs === undefined || theirs === text) return [await put(path, text, dryRun)];
  return [{ path, outcome: 'kept' }, await put(`${path}.new`, text, dryRun)];
}

async function put(path: string, text: string, dryRun: boolean): Promise<InstalledFile> {
  if ((await readIfThere(path)) === text) return { path, outcome: 'unchanged' };
  if (!dryRun) {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, text);
  }
  return { path, outcome: 'written' };
}

async function readIfThere(path: string): Promise<string | undefined> {
  return existsSync(path) ? readFile(path, 'utf8') : undefined;
}

function nextSteps({ dir, socket, spill }: InstallOptions): string {
  return `Which path shows which item is yours to say in ${join(dir, 'items.conf')}. Then, in nginx.conf:

  http {
      include ${join(dir, 'http.conf')};          # off.conf in its place captures nothing
      server {
          include ${join(dir, 'server.conf')};
          location /web/item/ {                   # the location of your item pages
              include ${join(dir, 'capture-subrequest.conf')};
              rewrite ^/web(/item/.*)$ $1 last;   # only if your pages lie elsewhere, as /item/ here
          }
      }
  }

nginx needs njs: Debian's libnginx-mod-http-js, or nginx-module-njs of nginx.org and a load_module line. Where it has none:
http-log.conf in place of http.conf, capture-log.conf in place of capture-subrequest.conf, and no server.conf.
Its workers must be able to write to the socket ${socket} and into the folder ${spill}.
Check and apply: nginx -t && nginx -s reload
`;
}
