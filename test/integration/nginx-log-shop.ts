import { readdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, createServer } from 'node:http';
import { join } from 'node:path';
import type { NginxBuild } from '../../provision/nginx.ts';
import { replaceIn } from '../parts/replace-in.ts';
import { until } from '../parts/until.ts';
import { type Chain, type ChainOptions, startChain } from './chain.ts';
import { createForgotten } from './forgotten.ts';
import { type Ask, ask, type Reply } from './nginx-ask.ts';
import { fieldsOf } from './nginx-line.ts';

/** The example log.conf with its sidecar, and an application that answers as its query says. */
export type LogShop = Chain & {
  get(path: string, more?: Partial<Omit<Ask, 'port' | 'path'>>): Promise<Reply>;
  /** Requests for `?hang` that have no answer yet. */
  hanging(): number;
  /** Answers them. */
  release(): void;
  /** For another test: nginx and the sidecar run as at first, and what they wrote, logged and counted before is forgotten. */
  fresh(): Promise<void>;
  /** What nginx has written for the sidecar, by line, one character a byte, oldest first. */
  lines(): Promise<string[]>;
  /** The fields of `lines`, once there are that many. */
  fields(count: number): Promise<Record<string, string | undefined>[]>;
  accessLog(): Promise<string>;
  /** Replaces a piece of nginx.conf; for `reload` to find. */
  edit(from: string, to: string): Promise<void>;
};

export async function startLogShop(
  build: NginxBuild,
  { workers = 1, example = 'log' }: Pick<ChainOptions, 'workers' | 'example'> = {},
): Promise<LogShop> {
  const application = await startApplication();
  const origin = `127.0.0.1:${application.port}`;
  const chain = await startChain({ build, example, origin, workers });
  const agent = new Agent({ keepAlive: true });
  const spill = join(chain.home, 'spill');
  const conf = join(chain.home, 'nginx/nginx.conf');
  const original = await readFile(conf, 'utf8');
  const { nginx, lines, forget } = createForgotten(chain.nginx, allLines);
  return {
    ...chain,
    nginx,
    fresh,
    get: (path, more = {}) => ask({ port: chain.port, path, agent, ...more }),
    hanging: application.hanging,
    release: application.release,
    lines,
    async fields(count) {
      const enough = async () => (await lines()).length >= count;
      await until(enough, { timeoutMs: 60_000, what: `${count} lines`, detail: chain.nginx.errorLog });
      return (await lines()).map(fieldsOf);
    },
    accessLog: () => readFile(join(chain.home, 'nginx/run/access.log'), 'utf8'),
    edit: (from, to) => replaceIn(conf, from, to),
    async close() {
      agent.destroy();
      await application.close();
      await chain.close();
    },
  };

  async function fresh(): Promise<void> {
    await chain.nginx.start();
    await chain.sidecar.start();
    if ((await readFile(conf, 'utf8')) !== original) {
      await writeFile(conf, original);
      await chain.nginx.reload();
    }
    await forget();
    await chain.mark();
  }

  async function allLines(): Promise<string[]> {
    const names = (await readdir(spill)).filter((name) => name.startsWith('log-')).sort();
    const files = await Promise.all(names.map((name) => readFile(join(spill, name), 'latin1')));
    return files.join('').split('\n').slice(0, -1);
  }
}

async function startApplication() {
  const held = new Set<() => void>();
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://shop');
    const status = Number(searchParams.get('status') ?? 200);
    const answer = () => response.writeHead(status).end('page');
    if (!searchParams.has('hang')) {
      answer();
      return;
    }
    held.add(answer);
    response.once('close', () => held.delete(answer));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  return {
    port: address.port,
    hanging: () => held.size,
    release() {
      for (const answer of held) answer();
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
