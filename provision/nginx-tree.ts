import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lua, NginxBuild } from '../nginx-setup/program/inspect.ts';
import { probeNjs } from '../nginx-setup/program/njs-probe.ts';
import { nginxVersion } from '../nginx-setup/program/version.ts';
import { debianTree } from './debian.ts';
import { privateProgram } from './private-program.ts';
import { ProvisionError } from './provision-error.ts';
import type { Downloading, Report } from './report.ts';
import { NGINX, type Suite } from './versions.ts';

const PACKAGES = ['nginx', 'libnginx-mod-http-js'];
const LUA_PACKAGES = ['libnginx-mod-http-lua', 'lua-nginx-kafka', 'lua-cjson'];

export type ObtainOptions = {
  suite: Suite;
  /** Adds Lua and its Kafka client. Only trixie has them. */
  lua?: boolean;
  report: Report;
  downloading?: Downloading | undefined;
};

/** Debian's nginx with njs, unpacked privately. Throws a `ProvisionError`. */
export async function obtainNginx({
  suite,
  lua = false,
  report,
  downloading,
}: ObtainOptions): Promise<NginxBuild> {
  const pin = NGINX[suite];
  const label = pin ? `nginx-${pin.nginx}-njs-${pin.njs}` : `nginx-${suite}`;
  const tree = await debianTree({
    suite,
    packages: lua ? [...PACKAGES, ...LUA_PACKAGES] : PACKAGES,
    name: lua ? `${label}-lua` : label,
    what: `${pin ? `nginx ${pin.nginx} with njs ${pin.njs}` : 'nginx with njs'} (about 10 MB)`,
    report,
    downloading,
  });
  const js = join(tree, 'usr/lib/nginx/modules/ngx_http_js_module.so');
  const command = await privateProgram(tree, 'usr/sbin/nginx');
  const version = await nginxVersion(command);
  const njs = await probeNjs({ command, module: js });
  if (version === undefined || 'reason' in njs) {
    throw new ProvisionError(
      `nginx of Debian ${suite} does not run: ${'reason' in njs ? njs.reason : tree}`,
      {
        hint: `Delete ${tree} and try again.`,
      },
    );
  }
  return {
    command,
    modules: lua ? { js, lua: luaOf(tree) } : { js },
    version,
    njs: njs.version,
    quickjs: njs.quickjs,
    origin: `Debian ${suite} (${await packageVersion(tree, 'nginx')}), unpacked privately`,
  };
}

function luaOf(tree: string): Lua {
  const modules = ['ndk_http_module.so', 'ngx_http_lua_module.so'].map((name) =>
    join(tree, 'usr/lib/nginx/modules', name),
  );
  const share = join(tree, 'usr/share/lua/5.1');
  const libraries = [
    join(tree, 'usr/lib/x86_64-linux-gnu/lua/5.1'),
    join(tree, 'usr/lib/aarch64-linux-gnu/lua/5.1'),
  ];
  return {
    modules: modules.filter((path) => existsSync(path)),
    packagePath: `${share}/?.lua;${share}/?/init.lua;;`,
    packageCpath: `${libraries.map((folder) => `${folder}/?.so`).join(';')};;`,
  };
}

async function packageVersion(tree: string, name: string): Promise<string> {
  const list = await readFile(join(tree, 'packages.txt'), 'utf8');
  const line = list.split('\n').find((entry) => entry.startsWith(`${name} `));
  return line?.slice(name.length + 1) ?? 'unknown version';
}
