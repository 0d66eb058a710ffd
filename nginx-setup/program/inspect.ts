import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findProgram } from '../../service/find-program.ts';
import { run } from '../../service/run.ts';
import { probeNjs } from './njs-probe.ts';
import { nginxVersion } from './version.ts';

export type NginxBuild = {
  /** The program and its first arguments. */
  command: string[];
  modules: {
    /** The path for `load_module`; absent where njs is compiled in. */
    js?: string;
    lua?: Lua;
  };
  /** Of nginx: `1.26.3`. */
  version: string;
  /** Of njs: `0.8.9`. */
  njs: string;
  /** Whether `js_engine qjs;` works. */
  quickjs: boolean;
  /** For people: its origin. */
  origin: string;
};

/** For the Lua script that the benches compare with: the paths for `load_module` in order, and its library path. */
export type Lua = { modules: string[]; packagePath: string; packageCpath: string };

const MODULE = 'ngx_http_js_module.so';
const MODULE_FOLDERS = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/lib/nginx/modules'];
const PROGRAM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/opt/homebrew/bin'];

/** The path of the installed nginx, or of the one with this name or path; undefined if there is none. */
export function systemNginx(env: NodeJS.ProcessEnv, name = 'nginx'): string | undefined {
  return findProgram(name, { searched: env.PATH, folders: PROGRAM_FOLDERS });
}

/**
 * The nginx at `program`, or why it cannot be used. Its njs is the module `named`, else compiled in, else in one of the usual module
 * folders.
 */
export async function inspectNginx(
  program: string,
  named?: string,
): Promise<NginxBuild | { reason: string }> {
  if (!existsSync(program)) return { reason: `${program} does not exist` };
  const command = [program];
  const version = await nginxVersion(command);
  if (version === undefined) return { reason: `${program} is not a working nginx` };

  let reason = `${MODULE} does not exist`;
  for (const module of named ? [resolve(named)] : await modulesOf(program)) {
    const njs = await probeNjs({ command, module });
    if ('reason' in njs) {
      reason = njs.reason;
      continue;
    }
    const modules = module === undefined ? {} : { js: module };
    return { command, modules, version, njs: njs.version, quickjs: njs.quickjs, origin: program };
  }
  return { reason: `${program} (${version}) has no njs (${reason})` };
}

/** Possible paths of its njs module; undefined means compiled in. */
async function modulesOf(program: string): Promise<(string | undefined)[]> {
  const { stderr } = await run(program, ['-V']);
  const prefix = /--prefix=(\S+)/.exec(stderr)?.[1] ?? '/usr/local/nginx';
  const folder = /--modules-path=(\S+)/.exec(stderr)?.[1] ?? 'modules';
  const beside = dirname(realpathSync(program));
  const folders = [
    resolve(prefix, folder),
    resolve(beside, '../lib/nginx/modules'),
    resolve(beside, '../modules'),
    beside,
    ...MODULE_FOLDERS,
  ];
  const files = [...new Set(folders)].map((path) => join(path, MODULE)).filter((path) => existsSync(path));
  return /--add-module=\S*(njs|nginx-js)/i.test(stderr) ? [undefined, ...files] : files;
}
