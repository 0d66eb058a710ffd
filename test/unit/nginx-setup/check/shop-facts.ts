import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capturesOf } from '../../../../nginx-setup/check/captures.ts';
import type { Facts } from '../../../../nginx-setup/check/facts.ts';
import { dumpSource, readConfiguration } from '../../../../nginx-setup/conf/configuration.ts';
import { createSite } from '../../../../nginx-setup/conf/site.ts';
import { parseBuild } from '../../../../nginx-setup/program/build.ts';
import { renderTemplate } from '../../../../nginx-setup/template.ts';

const TEMPLATES = join(import.meta.dirname, '../../../../nginx');
const VALUES = {
  dir: '/etc/nginx/h',
  socket: '/run/h.sock',
  spill: '/var/spill',
  hot: '/run/hot',
  spillmax: '1000',
  maxconns: '3',
  timeout: '150',
  failtimeout: '30',
  zone: '16',
  logcache: '',
  listener: '127.0.0.1:9188',
  keeper: '127.0.0.1:9188',
  cache: '/var/cache/hotitem',
  stale: '10',
  limitrate: '60',
  limitdryrun: 'on',
  release: '0.1.0',
  breaker: '127.0.0.1:9189',
  engine: 'njs',
};

export const SHOP = '/etc/nginx/nginx.conf';
export const HTTP = 'include h/http.conf;';
export const SERVER = 'include h/server.conf;';

/** What differs from a good shop: the text of each block, and what runs it. */
export type Given = {
  main?: string;
  http?: string;
  server?: string;
  location?: string;
  nginx?: string;
  njs?: Facts['njs'];
  socket?: string;
  cache?: string;
};

/** What the checks are told of a small shop; `http` begins at line 3, `server` at 6, the location at 8. */
export function factsOf(given: Given): Facts {
  const { main = '', http = HTTP, server = SERVER, location = 'include h/capture-subrequest.conf;' } = given;
  const shop = `${main}
http {
${http}
server {
server_name shop;
${server}
location / { }
location /web/item/ {
${location}
} } }
`;
  const build = parseBuild(`nginx version: nginx/${given.nginx ?? '1.26.3'}\n--prefix=/etc/nginx`);
  if (build === undefined) throw new Error('no build');
  const site = createSite(
    readConfiguration(SHOP, dumpSource(new Map([[SHOP, shop], ...includes(given.cache)]))),
  );
  return {
    build,
    site,
    captures: capturesOf(site),
    njs: given.njs ?? { version: '0.8.9', quickjs: false },
    moduleFile: undefined,
    worker: { name: 'root', ids: { uid: 0, gids: [0] } },
    sidecar: { socket: given.socket ?? VALUES.socket, spill: VALUES.spill },
  };
}

function includes(cache = VALUES.cache): [string, string][] {
  const names = readdirSync(TEMPLATES).filter((name) => name.endsWith('.conf'));
  return [
    ...names.map((name): [string, string] => [
      `/etc/nginx/h/${name}`,
      renderTemplate(readFileSync(join(TEMPLATES, name), 'utf8'), { ...VALUES, cache }),
    ]),
    ['/etc/nginx/theirs/http.conf', '# ours\ngzip on;\n'],
    ...['http.conf', 'server.conf'].map((name): [string, string] => [
      `/etc/nginx/conf.d/${name}`,
      renderTemplate(readFileSync(join(TEMPLATES, name), 'utf8'), VALUES),
    ]),
  ];
}
