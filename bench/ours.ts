import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderShop } from '../demo/shop.ts';
import type { NginxEngine } from '../nginx-setup/includes.ts';
import type { NginxBuild } from '../provision/nginx.ts';
import { startNginx } from '../test/parts/nginx.ts';
import { freePorts } from '../test/parts/ports.ts';
import type { Edge } from './edge.ts';
import type { Transport } from './transports.ts';

export type OursOptions = {
  build: NginxBuild;
  engine: NginxEngine;
  /** None: the same nginx.conf without capture, a plain rewrite. */
  transport: Transport | undefined;
  folder: string;
  socket: string;
  spill: string;
  /** The folder of pages. Default: those of the examples. */
  pages?: string;
  /** The folder in which nginx looks for hot items; without one it looks nowhere. */
  hot?: string;
  /** What else stands in the server. */
  inServer?: string;
};

/** The example shop with one transport and one worker. Throws if nginx.conf is not as expected here. */
export async function renderOurs(options: OursOptions): Promise<Edge> {
  const { build, engine, transport, folder, socket, spill, pages, hot, inServer = '' } = options;
  const [port = 0, breaker] = await freePorts(2);
  const { conf, errorLog } = await renderShop({
    folder,
    engine,
    socket,
    spill,
    listen: `127.0.0.1:${port}`,
    breaker: `127.0.0.1:${breaker}`,
    workers: 1,
    ...(pages && { pages }),
    ...(hot && { hot }),
    ...(build.modules.js && { module: build.modules.js }),
    ...(process.getuid?.() === 0 && { user: 'root' }),
  });
  await choose(conf, join(folder, 'hotitem'), { transport, looks: hot !== undefined, inServer });
  return { port, start: () => startNginx({ build, prefix: folder, config: conf, errorLog }) };
}

/** What an operator changes in the example, which has `subrequest`: the includes. */
async function choose(
  conf: string,
  dir: string,
  { transport, looks, inServer }: { transport: Transport | undefined; looks: boolean; inServer: string },
): Promise<void> {
  const { http = ['http.conf'], server = ['server.conf'], location } = transport ?? {};
  let text = await readFile(conf, 'utf8');
  put('http.conf', http);
  put('server.conf', server);
  put('capture-subrequest.conf', location === undefined ? [] : [location]);
  // What belongs to the subrequest alone. `log` is an access log, and `off` would silence it.
  if (transport?.name !== 'subrequest') {
    text = text.replace(
      /^ *include "[^"]*log-cut\.conf";\n/m,
      transport?.name === 'log' ? '' : 'access_log off;\n',
    );
  }
  if (!looks) text = text.replace(/^.*(?:hot\.conf";|\$hotitem_hot;)\n/gm, '');
  text = text.replace(/^ *server \{$/m, `$&\n${inServer}`);
  await writeFile(conf, text);

  function put(name: string, instead: string[]): void {
    const include = (file: string) => `include "${join(dir, file)}";`;
    if (!text.includes(include(name))) throw new Error(`${conf} does not hold ${include(name)}`);
    const missing = instead.find((file) => !existsSync(join(dir, file)));
    if (missing !== undefined) throw new Error(`${missing} is not among what was installed`);
    text = text.replace(include(name), instead.map(include).join('\n'));
  }
}
