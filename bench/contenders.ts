import { join } from 'node:path';
import type { NginxEngine } from '../nginx-setup/includes.ts';
import { type NginxBuild, obtainNginx } from '../provision/nginx.ts';
import { renderArticle } from './article/article.ts';
import type { Edge } from './edge.ts';
import { renderOurs } from './ours.ts';
import { TRANSPORTS, type Transport } from './transports.ts';

export type Contender = {
  /** For the table: `batch, 1.30.6 QuickJS`. */
  name: string;
  what: 'plain' | 'article' | Transport['name'];
  /** Which runs the script; none for plain, Lua and `log`. */
  engine: NginxEngine | undefined;
  /** The version of nginx. */
  version: string;
  edge: Edge;
};

export type ContendersOptions = {
  builds: NginxBuild[];
  /** Each has its nginx in a folder of its own below it. */
  folder: string;
  socket: string;
  spill: string;
  /** `host:port`, for the article's system. */
  broker: string;
};

/** nginx 1.26.3 with njs 0.8.9 and Lua, and the newest that Debian has. */
export async function obtainBuilds(report: (line: string) => void): Promise<NginxBuild[]> {
  return [
    await obtainNginx({ suite: 'trixie', lua: true, report }),
    await obtainNginx({ suite: 'sid', report }),
  ];
}

/** On each build: a plain rewrite, the article's system where there is Lua, each of our transports on each engine. */
export async function renderContenders(options: ContendersOptions): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const build of options.builds) {
    await add(build, undefined, undefined);
    if (build.modules.lua !== undefined) await addArticle(build);
    for (const transport of TRANSPORTS) {
      for (const engine of enginesFor(transport, build)) await add(build, transport, engine);
    }
  }
  return contenders;

  async function add(
    build: NginxBuild,
    transport: Transport | undefined,
    engine: NginxEngine | undefined,
  ): Promise<void> {
    const { socket, spill } = options;
    const edge = await renderOurs({
      build,
      transport,
      engine: engine ?? 'njs',
      folder: next(),
      socket,
      spill,
    });
    const label = { njs: ` njs ${build.njs}`, qjs: ` QuickJS (njs ${build.njs})`, none: '' }[
      engine ?? 'none'
    ];
    contenders.push({
      name: `${transport?.name ?? 'plain rewrite'}, nginx ${build.version}${label}`,
      what: transport?.name ?? 'plain',
      engine,
      version: build.version,
      edge,
    });
  }

  async function addArticle(build: NginxBuild): Promise<void> {
    const edge = await renderArticle({ build, folder: next(), broker: options.broker });
    contenders.push({
      name: `the article's Lua, nginx ${build.version}`,
      what: 'article',
      engine: undefined,
      version: build.version,
      edge,
    });
  }

  function next(): string {
    return join(options.folder, `edge-${contenders.length}`);
  }
}

function enginesFor({ scripted }: Transport, { quickjs }: NginxBuild): (NginxEngine | undefined)[] {
  if (!scripted) return [undefined];
  return quickjs ? ['njs', 'qjs'] : ['njs'];
}
