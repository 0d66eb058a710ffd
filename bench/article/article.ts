import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTemplate } from '../../nginx-setup/template.ts';
import type { NginxBuild } from '../../provision/nginx.ts';
import { PACKAGE_ROOT } from '../../service/package-root.ts';
import { startNginx } from '../../test/parts/nginx.ts';
import { freePort } from '../../test/parts/ports.ts';
import type { Edge } from '../edge.ts';

export type ArticleOptions = {
  /** With Lua. */
  build: NginxBuild;
  /** Where its nginx.conf, log and temporary files go. */
  folder: string;
  /** `host:port`; protocol versions that Kafka 4 removed. */
  broker: string;
};

/** The article's system, in front of the same pages as ours. Throws where the build has no Lua. */
export async function renderArticle({ build, folder, broker }: ArticleOptions): Promise<Edge> {
  const { lua } = build.modules;
  if (lua === undefined) throw new Error(`${build.origin} has no Lua`);
  const [ndk, module] = lua.modules;
  const [host, kafkaPort] = broker.split(':');
  const port = await freePort();
  const run = join(folder, 'run');
  await mkdir(run, { recursive: true });
  const template = await readFile(join(import.meta.dirname, 'nginx.conf'), 'utf8');
  const config = join(folder, 'nginx.conf');
  const text = renderTemplate(template, {
    ndk,
    lua: module,
    path: lua.packagePath,
    cpath: lua.packageCpath,
    script: join(import.meta.dirname, 'capture.lua'),
    host,
    port: kafkaPort,
    listen: `127.0.0.1:${port}`,
    pages: join(PACKAGE_ROOT, 'nginx/examples/pages'),
    run,
    user: process.getuid?.() === 0 ? 'root' : undefined,
  });
  await writeFile(config, text);
  return {
    port,
    start: () => startNginx({ build, prefix: folder, config, errorLog: join(run, 'error.log') }),
  };
}
