import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { renderShop, type ShopOptions } from '../../demo/shop.ts';
import type { NginxBuild } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { freePorts } from '../parts/ports.ts';
import { replaceIn } from '../parts/replace-in.ts';
import { createForgotten } from './forgotten.ts';
import { type Ask, ask, type Reply } from './nginx-ask.ts';
import { type Origin, startOrigin } from './nginx-origin.ts';
import { createStandIn, type StandIn } from './nginx-stand-in.ts';

type TestShopOptions = Pick<ShopOptions, 'engine' | 'example' | 'pages' | 'php'> & {
  build: NginxBuild;
  /** Goes into the example's server block, before its own locations; `@ORIGIN@` is the origin's address. */
  locations?: string;
  /** Default 1, so that the breaker is one. */
  workers?: number;
  /** Of views that wait for the sidecar; for tests that are about neither. Default what is shipped. */
  waits?: typeof PATIENT;
};

/** So that no view is spilled because the machine, and with it the sidecar's stand-in, is busy for a moment. */
export const PATIENT = { timeoutMs: 10_000, maxConns: 100 };

type AskMore = Partial<Omit<Ask, 'port' | 'path'>>;

export type TestShop = {
  folder: string;
  port: number;
  nginx: NginxPart;
  /** Not started yet. */
  sidecar: StandIn;
  origin: Origin;
  /** Over one connection, the same for all, unless another agent is named. */
  get(path: string, more?: AskMore): Promise<Reply>;
  /** Resolves when the capture of every view on that connection is over: nginx answers the next request after it. */
  settle(): Promise<void>;
  /** For another test of the same shop: the sidecar answers again, and what arrived, was spilled and was logged before is forgotten. */
  forget(): Promise<void>;
  /** That, with all files of nginx as at first. What nginx remembers, of a sidecar that did not answer, it still does. */
  fresh(): Promise<void>;
  /** The lines in the spill folder, one character a byte, oldest first. */
  spilled(): Promise<string[]>;
  /** Replaces a piece of nginx.conf; for `reload` to find. */
  edit(from: string, to: string): Promise<void>;
  close(): Promise<void>;
};

/** One of the examples, rendered as `npm start` does it, on a real nginx. */
export async function startShop(options: TestShopOptions): Promise<TestShop> {
  const { build, locations = '', engine = 'njs', example = 'shop', workers = 1, pages, php, waits } = options;
  const { path: folder, remove } = temporaryFolder('shop');
  const [port = 0, breakerPort, originPort = 0] = await freePorts(3);
  const socket = join(folder, 'intake.sock');
  const spill = join(folder, 'spill');
  const { conf, errorLog } = await renderShop({
    folder,
    socket,
    spill,
    engine,
    example,
    listen: `127.0.0.1:${port}`,
    breaker: `127.0.0.1:${breakerPort}`,
    origin: `127.0.0.1:${originPort}`,
    workers,
    ...waits,
    ...(pages && { pages }),
    ...(php && { php }),
    ...(build.modules.js && { module: build.modules.js }),
    ...(process.getuid?.() === 0 && { user: 'root' }),
  });
  const more = locations.replaceAll('@ORIGIN@', `127.0.0.1:${originPort}`);
  await edit('/server.conf";\n', `/server.conf";\n${more}\n`);

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sidecar = createStandIn(socket);
  const origin = await startOrigin(originPort);
  const nginx = await startNginx({ build, prefix: folder, config: conf, errorLog });
  const original = await configuration();
  const since = createForgotten(nginx, allSpilled);
  return {
    folder,
    port,
    nginx: since.nginx,
    sidecar,
    origin,
    get,
    settle,
    forget,
    fresh,
    spilled: since.lines,
    edit,
    close,
  };

  function get(path: string, askMore: AskMore = {}): Promise<Reply> {
    return ask({ port, path, agent, ...askMore });
  }

  async function settle(): Promise<void> {
    await get('/');
  }

  async function fresh(): Promise<void> {
    const now = await configuration();
    const changed = [...original].filter(([path, text]) => now.get(path) !== text);
    const added = [...now.keys()].filter((path) => !original.has(path));
    for (const [path, text] of changed) await writeFile(path, text);
    for (const path of added) await rm(path);
    if (changed.length + added.length > 0) await nginx.reload();
    await forget();
  }

  async function forget(): Promise<void> {
    await since.forget();
    sidecar.answer = 204;
    sidecar.kept.length = 0;
    sidecar.arrived.length = 0;
  }

  /** The text of each file that nginx may read. */
  async function configuration(): Promise<Map<string, string>> {
    const folders = [folder, join(folder, 'hotitem')];
    const paths = (await Promise.all(folders.map(filesIn))).flat();
    return new Map(
      await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)),
    );
  }

  async function allSpilled(): Promise<string[]> {
    const names = (await readdir(spill)).filter((name) => name.endsWith('.tsv')).sort();
    const files = await Promise.all(names.map((name) => readFile(join(spill, name), 'latin1')));
    return files.join('').split('\n').slice(0, -1);
  }

  function edit(from: string, to: string): Promise<void> {
    return replaceIn(conf, from, to);
  }

  async function close(): Promise<void> {
    agent.destroy();
    await nginx.close();
    await Promise.all([sidecar.stop(), origin.close()]);
    remove();
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.name.endsWith('.conf')).map(({ name }) => join(folder, name));
}
