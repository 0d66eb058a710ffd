import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { createHotFolder, type HotFolder } from '../../heat/hot-folder.ts';
import { installNginx } from '../../nginx-setup/install.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { replaceIn } from '../parts/replace-in.ts';
import { type Ask, ask, type Reply } from './nginx-ask.ts';
import { type HostileOrigin, startHostileOrigin } from './nginx-protect-origin.ts';

type Php = { socket: string; pages: string };
export type Mode = 'probe' | 'fill' | 'look';
export type More = Partial<Pick<Ask, 'method' | 'headers' | 'body'>>;

export type ProtectSite = {
  folder: string;
  /** The folder of the hot list. */
  hot: string;
  /** The shop, protected and, by another name of the host, as it is without us. */
  port: number;
  /** Where the keeper is heard; on all addresses, so that others can be tried. */
  keeperPort: number;
  plainPort: number;
  /** The shop by HTTP/2, without TLS. */
  http2Port: number;
  nginx: NginxPart;
  origin: HostileOrigin;
  word: string;
  /** As a shopper asks. */
  get(path: string, more?: More): Promise<Reply>;
  keep(mode: Mode, path: string, more?: More): Promise<Reply>;
  /** Makes these items hot, and nginx share their pages. */
  makeHot(...items: string[]): void;
  /** Makes these items hot, with that action. */
  act(action: string, ...items: string[]): void;
  /** Fills an entry and makes its item hot. Throws where it is not kept. */
  share(path: string, item: string): Promise<Reply>;
  /** Replaces a piece of nginx.conf and reloads. */
  edit(from: string, to: string): Promise<void>;
  /** What the sidecar would find of requests for hot items, by the name of the file. */
  shared(): [string, string][];
  /** What the sidecar would find of views. */
  lines(): string;
  close(): Promise<void>;
};

const TICK_MS = 100;
const ITEMS = `map $uri $hotitem_item {
  "~/item/(?<hotitem_id>[\\w.-]+?)(?:\\.html)?$" $hotitem_id;
  default "-";
}
`;
/** For a machine that is busy: by this an entry of the site is there. */
const LONG_SECONDS = 600;
export const HOST = 'shop.test';

/** A hostile origin behind a real nginx with all that protects it. `php`: the socket of php-fpm, whose pages are in `pages`. */
export async function startProtectSite(
  suite: Suite,
  {
    php,
    hasHotList = true,
    staleSeconds = LONG_SECONDS,
  }: { php?: Php; hasHotList?: boolean; staleSeconds?: number } = {},
): Promise<ProtectSite> {
  const build: NginxBuild = await obtainNginx({ suite, report: () => {} });
  const { path: folder, remove } = temporaryFolder('protect');
  const [port = 0, keeperPort = 0, plainPort = 0, http2Port = 0, originPort = 0, breaker] =
    await freePorts(6);
  const [home, brief, hot, spill] = ['hotitem', 'brief', 'hot', 'spill'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  mkdirSync(spill);
  const settings = {
    socket: join(folder, 'intake.sock'),
    spill,
    hot,
    keeper: `127.0.0.1:${keeperPort}`,
    cache: join(folder, 'kept'),
    breaker: `127.0.0.1:${breaker}`,
  };
  await installNginx({ ...settings, dir: home, staleSeconds });
  writeFileSync(join(home, 'items.conf'), ITEMS);
  // Only its cache.conf and limit.conf are used, for what expires soon and what is rejected.
  await installNginx({ ...settings, dir: brief, staleSeconds: 1, limitDryRun: false });
  writeFileSync(join(folder, 'parts.html'), 'parts: <!--#include virtual="/item/part.html?n=1" -->');
  writeFileSync(join(folder, 'users'), '');
  const config = join(folder, 'nginx.conf');
  const include = (name: string) => `include "${join(home, name)}";`;
  writeFileSync(config, configuration());
  const origin = await startHostileOrigin(originPort);
  const nginx = await startNginx({ build, prefix: folder, config }).catch(async (error: unknown) => {
    await origin.close();
    remove();
    throw error;
  });
  const word = randomBytes(32).toString('hex');
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  // Where a sidecar has it, it is not ours.
  const folderOfHot: HotFolder | undefined = hasHotList
    ? createHotFolder({ dir: hot, now: Date.now, warn: () => {} })
    : undefined;
  act('cache');
  const ticking = setInterval(() => folderOfHot?.tick(), TICK_MS);
  return {
    folder,
    hot,
    port,
    keeperPort,
    plainPort,
    http2Port,
    nginx,
    origin,
    word,
    get,
    keep,
    makeHot,
    act,
    share,
    edit,
    shared,
    lines,
    close,
  };

  function get(path: string, { headers, ...more }: More = {}): Promise<Reply> {
    return ask({ port, path, agent, headers: { host: HOST, ...headers }, ...more });
  }

  function keep(mode: Mode, path: string, { headers, ...more }: More = {}): Promise<Reply> {
    const own = { host: HOST, 'keep-alive': `hotitem-${mode}=${word}`, ...headers };
    return ask({ port: keeperPort, path, agent, headers: own, ...more });
  }

  function makeHot(...items: string[]): void {
    act('cache', ...items);
  }

  function act(action: string, ...items: string[]): void {
    const wanted = items.map((item) => ({ item, actions: [action] }));
    const refused = folderOfHot?.update([...wanted, { item: word, actions: ['keeper'] }]);
    if (refused !== undefined && refused.size > 0) throw new Error(`cannot be hot: ${[...refused.values()]}`);
  }

  async function share(path: string, item: string): Promise<Reply> {
    const filled = await keep('fill', path);
    const looked = await keep('look', path);
    if (looked.headers['x-hotitem-keeper'] !== 'look HIT' || looked.body !== filled.body)
      throw new Error(`${path} is not kept: ${JSON.stringify([filled, looked])}`);
    makeHot(item);
    return filled;
  }

  async function edit(from: string, to: string): Promise<void> {
    await replaceIn(config, from, to);
    await nginx.reload();
  }

  function shared(): [string, string][] {
    // One file a minute, in which a test may end.
    const names = readdirSync(spill)
      .filter((name) => name.startsWith('shared-'))
      .sort();
    return names.flatMap((name) =>
      readFileSync(join(spill, name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line): [string, string] => [name, line]),
    );
  }

  function lines(): string {
    return readFileSync(join(folder, 'views.log'), 'utf8');
  }

  async function close(): Promise<void> {
    clearInterval(ticking);
    agent.destroy();
    await nginx.close();
    await origin.close();
    remove();
  }

  function configuration(): string {
    const origin = `proxy_pass http://127.0.0.1:${originPort};`;
    const pages =
      php === undefined
        ? ''
        : phpLocations(php, include('cache-fastcgi.conf') + include('announce-fastcgi.conf'));
    return `${WORKER_USER}
    worker_processes 1;
    pid nginx.pid;
    events { worker_connections 512; }
    http {
      ${include('http-log.conf')}
      ${include('http-hot.conf')}
      ${include('http-protect.conf')}
      # As docs/protect.md says.
      variables_hash_max_size 2048;
      map "$arg_personal$http_x_country" $hotitem_personal { DE ""; default $arg_personal$http_x_country; }
      access_log views.log hotitem if=$hotitem_logged;
      ${include('log-shared.conf')}
      log_not_found off;
      ${temporaryPaths()}
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      # What a shop may have for its other pages.
      proxy_cache_use_stale error timeout http_500;
      proxy_cache_lock on;
      proxy_cache_path "${folder}/own" keys_zone=own:1m;
      types { text/html html; }
      limit_req_zone $binary_remote_addr zone=strict:1m rate=1r/m;
      upstream isolated { zone isolated 64k; server 127.0.0.1:${originPort} max_conns=2; }
      root "${folder}";
      server {
        listen 127.0.0.1:${port};
        listen ${keeperPort};
        server_name shop.test other.test;
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Client;
        ${include('server-hot.conf')}
        ${include('server-protect.conf')}
        ${include('server-actions.conf')}
        location /web/item/ { ${include('capture-log.conf')} rewrite ^/web(/item/.*)$ $1 last; }
        location /item/ { ${include('capture-log.conf')} ${include('cache.conf')} ${origin} }
        location /moved/item/ { return 301 /item/$hotitem_item.html; }
        location /files/item/ { alias "${folder}/"; }
        location /closed/item/ { ${include('cache.conf')} proxy_pass http://127.0.0.1:1; }
        location /tried/item/ { try_files /none$uri @tried; }
        location @tried { ${include('cache.conf')} ${origin} }
        location /locked/item/ { auth_basic closed; auth_basic_user_file users; ${include('cache.conf')} ${origin} }
        location /brief/item/ { include "${join(brief, 'cache.conf')}"; ${origin} }
        location /error/item/ { error_page 404 /item/instead.html; proxy_intercept_errors on; ${include('cache.conf')} ${origin} }
        location /mobile { if ($http_user_agent ~ phone) { rewrite ^/mobile(/item/.*)$ /phone$1 last; } ${include('cache.conf')} ${origin} }
        location /phone { ${include('cache.conf')} ${origin} }
        location /ignoring/item/ { ${include('cache.conf')} proxy_ignore_headers Set-Cookie; ${origin} }
        location /strict/item/ { limit_req zone=strict; ${include('cache.conf')} ${origin} }
        location /tolerant/item/ { ${include('limit.conf')} ${origin} }
        location /limited/item/ { include "${join(brief, 'limit.conf')}"; ${origin} }
        location /trial/item/ { ${include('limit.conf')} alias "${folder}/"; }
        location /both/item/ { limit_req zone=strict; ${include('limit.conf')} ${origin} }
        location /headered/item/ { add_header X-Brand ours; ${include('cache.conf')} ${origin} }
        location /sorry/item/ { proxy_intercept_errors on; error_page 404 503 =200 /sorry.html; ${origin} }
        location = /sorry.html {}
        location /backup/item/ { proxy_intercept_errors on; error_page 503 = @backup; ${origin} }
        location @backup { rewrite ^(.*)$ $1? break; ${origin} }
        location /lasting/item/ { proxy_cache own; ${origin} }
        location /isolated/item/ { ${include('isolate.conf')} ${origin} }
        location @hotitem_isolated { ${include('isolated.conf')} proxy_pass http://isolated; }
        location /announced/item/ { ${include('announce.conf')} ${include('cache.conf')} ${origin} }
        location = /parts.html { ssi on; }
        ${pages}
      }
      server {
        listen 127.0.0.1:${port};
        listen ${keeperPort};
        server_name second.test;
        ${include('server-hot.conf')}
        ${include('server-protect.conf')}
        location / { ${include('cache.conf')} ${origin} }
      }
      server {
        listen 127.0.0.1:${port};
        server_name hot.test;
        ${include('server-hot.conf')}
        ${include('log-limit.conf')}
        location / { ${origin} }
      }
      server {
        listen 127.0.0.1:${http2Port}${suite === 'bookworm' ? ' http2' : '; http2 on'};
        ${include('server-hot.conf')}
        location / { ${origin} }
      }
      server {
        listen 127.0.0.1:${plainPort};
        location / { ${origin} }
      }
    }`;
  }
}

function phpLocations({ socket, pages }: Php, cache: string): string {
  return `location /shop/ { try_files /none$uri /index.php$is_args$args; }
    location ~ \\.php$ {
      root "${pages}";
      ${cache}
      fastcgi_pass "unix:${socket}";
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param SERVER_PROTOCOL $server_protocol;
    }`;
}
