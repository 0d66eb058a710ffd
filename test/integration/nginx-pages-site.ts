import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHotFolder } from '../../heat/hot-folder.ts';
import { installNginx } from '../../nginx-setup/install.ts';
import { compareVersions } from '../../nginx-setup/program/version.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { startNginx } from '../parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { startRawOrigin } from './nginx-requests-origin.ts';
import { exchange, steady } from './nginx-requests-wire.ts';
import { createStandIn } from './nginx-stand-in.ts';

export type PageRequest = { method?: string; target: string; headers?: string[]; body?: string };

/**
 * A server of some shop, as the text of its blocks. In both, `@N@` is its number and `@T@` the transport, for the names of
 * zones: each transport has its own. `@RIGHT@` and `@OTHER@` are two applications.
 */
export type PageServer = {
  name: string;
  http?: string;
  /** `@CAPTURE@` stands where a location captures, `@LOG@` beside each access_log. */
  server: string;
  /** What the access log shows at the end of a request, beside the usual. */
  variables?: string[];
  /** Transports that do not capture with it, as `check` says. */
  without?: string[];
  /** One group after the other; those of a group are sent at once. */
  requests: PageRequest[][];
};

/** All that anybody can see of a server's pages. */
export type Seen = {
  answers: string[];
  /** What the applications were asked, sorted. */
  asked: string[];
  accessLog: string[];
  errorLog: string[];
};

type Ids = (string | undefined)[];

export type Outcome = {
  server: PageServer;
  plain: Seen;
  /** By transport: what was seen, the ids of the requests that captured themselves, and of the lines that arrived, and how many were hot. */
  captured: { transport: string; seen: Seen; views: Ids; lines: Ids; hot: number }[];
};

export type PagesOptions = {
  suite: Suite;
  engine: 'njs' | 'qjs';
  servers: PageServer[];
  /** Goes into the http block, before our includes. */
  http?: string;
  /** What the sidecar answers; with 503, and where there is none, each view is spilled. */
  sidecar?: 204 | 503 | 'none';
};

type Twin = { name: string; port: number; include: string };

const PLAIN = 'plain';
const SETTLE_MS = 60_000;
const LATE = /timed out|upstream server temporarily disabled/;
/** The warning that it is unset where nothing was captured: the access log here asks for it. */
const OURS_TO_LOG = 'uninitialized "hotitem_captured"';
/** Servers that are asked at once. */
const AT_ONCE = 8;
const VISIBLE = [
  '$request',
  '$status',
  '$bytes_sent',
  '$body_bytes_sent',
  '$uri',
  '$args',
  '$request_filename',
  '$upstream_addr',
  '$upstream_status',
  '$upstream_cache_status',
  '$sent_http_content_type',
  '$sent_http_location',
  '$remote_user',
];

/** The items of the requests below; that of a page without one is its path. */
const HOT = ['1', '2', '2.css', '3', 'index', 'u', 'x'].map((item) => ({ item, actions: [] }));

/** Serves each of the servers without us and by each transport, with each item hot, in one nginx, and says what was seen of all of them. */
export async function comparePages(options: PagesOptions): Promise<Outcome[]> {
  const {
    suite,
    engine,
    servers,
    http = '',

    sidecar: answer = 204,
  } = options;
  const build = await obtainNginx({ suite, report: () => {} });
  const { path: folder, remove } = temporaryFolder('pages');
  const [right = 0, other = 0, breaker, ...ports] = await freePorts(7);
  const hasBatch = compareVersions(build.njs, '0.8.1') >= 0;
  // While the sidecar refuses them, batch keeps its views.
  const names = [PLAIN, 'subrequest', ...(hasBatch && answer === 204 ? ['batch'] : []), 'log'];
  const twins = names.map(
    (name, i): Twin => ({ name, port: ports[i] ?? 0, include: `capture-${name}.conf` }),
  );
  const [dir, spill, pages, logs] = ['hotitem', 'spill', 'pages', 'logs'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const socket = join(folder, 'intake.sock');
  const include = (name: string) => `include "${join(dir, name)}";`;
  await installNginx({ dir, socket, spill, engine, breaker: `127.0.0.1:${breaker}` });
  // As where the folder lies on a file system of its own.
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), spill);
  for (const made of [logs, join(folder, 'cache')]) mkdirSync(made);
  writePages(pages);
  writeFileSync(join(folder, 'users'), 'u:{PLAIN}p\n');
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configuration());

  const hot = createHotFolder({ dir: join(folder, 'hot'), now: Date.now, warn: () => {} });
  hot.update(HOT);
  const ticking = setInterval(hot.tick, 500);
  const origins = await Promise.all([right, other].map(startRawOrigin));
  const sidecar = createStandIn(socket);
  if (answer !== 'none') {
    sidecar.answer = answer;
    await sidecar.start();
  }
  const closing: (() => Promise<unknown>)[] = [sidecar.stop, ...origins.map(({ close }) => close)];
  try {
    const nginx = await startNginx({ build, prefix: folder, config });
    closing.unshift(nginx.close);
    const seen = new Map<string, Awaited<ReturnType<typeof askAll>>>();
    for (const twin of twins) seen.set(twin.name, await askAll(twin));
    return servers.map((server, n) => ({
      server,
      plain: seen.get(PLAIN)?.[n]?.seen ?? fail(PLAIN),
      captured: twins
        .slice(1)
        .map(({ name }) => ({ transport: name, ...(seen.get(name)?.[n] ?? fail(name)) })),
    }));
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: String(error) };
    throw new Error([...(await logTail()), message.slice(0, 500)].join('\n'));
  } finally {
    clearInterval(ticking);
    for (const close of closing) await close();
    remove();
  }

  async function askAll(twin: Twin) {
    const earlier = new Set(await allLines());
    for (const origin of origins) origin.requests.length = 0;
    const answers: string[][] = [];
    const waiting = [...servers.entries()];
    const asker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [n, { requests }] = next;
        answers[n] = [];
        for (const group of requests) {
          const got = await Promise.all(group.map((request) => send(twin, wire(request, n))));
          answers[n]?.push(...got.map((bytes) => normal(steady(bytes), twin)).sort());
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, asker));
    const requests = servers.flatMap((server) => server.requests.flat()).length;
    const logged = () => linesOf(join(logs, `seen-${twin.name}.log`));
    // What never comes is for the caller to say; here and below.
    await until(async () => (await logged()).length >= requests, { timeoutMs: SETTLE_MS, what: '' }).catch(
      () => {},
    );
    const accessLog = (await logged()).map(readSeen);
    const views = accessLog.filter(({ captured }) => captured).map(({ id }) => id);
    const missing = async () => {
      const arrived = new Set((await allLines()).map((line) => fieldsOf(line).id));
      return views.filter((id) => !arrived.has(id));
    };
    await until(async () => (await missing()).length === 0, { timeoutMs: SETTLE_MS, what: '' }).catch(
      () => {},
    );
    const arrived = (await allLines()).filter((line) => !earlier.has(line)).map(fieldsOf);
    const errors = (await linesOf(join(logs, `errors-${twin.name}.log`)))
      .filter((line) => !line.includes(OURS_TO_LOG) && !line.includes('delaying request'))
      // That the sidecar is unavailable is for the log to say.
      .filter((line) => answer !== 'none' || !line.includes(socket))
      // Or that it is late on a busy machine: the view is then spilled as well.
      .filter((line) => !(LATE.test(line) && line.includes('subrequest: "/_hotitem/capture"')))
      .map((line) => normal(errorOf(line), twin));
    const asked = origins.flatMap(({ requests }, i) => requests.map((request) => `${i} ${request}`));
    return servers.map((_, n) => {
      const mine = accessLog.filter(({ host }) => host === hostOf(n));
      return {
        seen: {
          answers: answers[n] ?? [],
          asked: asked.filter((request) => request.includes(`X-Server: ${hostOf(n)}\r\n`)).sort(),
          accessLog: mine.map(({ visible }) => normal(visible, twin)).sort(),
          errorLog: errors.filter((line) => line.includes(`server: ${hostOf(n)},`)).sort(),
        },
        views: mine
          .filter(({ captured }) => captured)
          .map(({ id }) => id)
          .sort(),
        lines: arrived
          .filter(({ host }) => host === hostOf(n))
          .map(({ id }) => id)
          .sort(),
        hot: mine.filter(({ isHot }) => isHot).length,
      };
    });
  }

  /** Each line once: what the sidecar has kept and answered too late is spilled, or posted, again. */
  async function allLines(): Promise<string[]> {
    const kept = sidecar.kept.flatMap((body) => body.split('\n')).filter((line) => line !== '');
    const names = (await readdir(spill)).filter((name) => name.endsWith('.tsv'));
    const spilled = await Promise.all(names.map((name) => linesOf(join(spill, name))));
    return [...new Set([...kept, ...spilled.flat()])];
  }

  function configuration(): string {
    return `${build.modules.js === undefined ? '' : `load_module "${build.modules.js}";`}
${WORKER_USER}
worker_processes 1;
pid nginx.pid;
events {
    worker_connections 1024;
}
http {
    ${fill(http, 0, '')}
    ${include('http.conf')}
    ${hasBatch ? include('http-batch.conf') : ''}
    ${include('http-hot.conf')}
    types {
        text/html html;
        text/css css;
    }
    access_log off;
    root "${pages}";
    port_in_redirect off;
    ${temporaryPaths()}
    ${servers.flatMap((server, n) => [...httpOf(server, n), ...twins.map((twin) => serverOf(server, n, twin))]).join('\n    ')}
}
`;
  }

  /** What names the transport is there for each of them, the rest once. */
  function httpOf({ http: text = '' }: PageServer, n: number): string[] {
    return text
      .split('\n')
      .flatMap((line) =>
        line.includes('@T@') ? twins.map(({ name }) => fill(line, n, name)) : [fill(line, n, '')],
      );
  }

  function serverOf(
    { server, variables = [], without = [] }: PageServer,
    n: number,
    { name, port, include: capture }: Twin,
  ): string {
    const scripted = name === 'subrequest' || name === 'batch';
    const view = name === 'log' ? '$hotitem_logged' : scripted ? '$hotitem_captured' : '';
    const text = fill(server, n, name)
      .replaceAll(
        '@CAPTURE@',
        name === PLAIN || without.includes(name) ? '' : `${include(capture)} ${include('hot.conf')}`,
      )
      .replaceAll('@LOG@', logOf(name));
    return `
    log_format seen_${n}_${name} escape=json '$server_name|${fill([...VISIBLE, ...variables].join(' '), n, name)}|$request_id|${view}|$hotitem_hot';
    server {
        listen 127.0.0.1:${port};
        server_name ${hostOf(n)};
        access_log "${logs}/seen-${name}.log" seen_${n}_${name};
        error_log "${logs}/errors-${name}.log" warn;
        ${logOf(name)} ${scripted ? include('server.conf') : ''}
        ${text}
        ${name === PLAIN ? '' : include('server-hot.conf')}
    }`;
  }

  /** What goes beside each access_log of the shop. */
  function logOf(transport: string): string {
    if (transport === 'log') return include('log.conf');
    return transport === 'subrequest' ? include('log-cut.conf') : '';
  }

  function fill(text: string, n: number, transport: string): string {
    return text
      .replaceAll('@N@', String(n))
      .replaceAll('@T@', transport)
      .replaceAll('@RIGHT@', `127.0.0.1:${right}`)
      .replaceAll('@OTHER@', `127.0.0.1:${other}`)
      .replaceAll('@FOLDER@', folder)
      .replaceAll('@ACCESSLOG@', `access_log "${logs}/seen-${transport}.log" seen_${n}_${transport};`);
  }

  async function logTail(): Promise<string[]> {
    return (await linesOf(join(folder, 'error.log')))
      .filter((line) => /\[(emerg|alert)\]/.test(line))
      .slice(-3);
  }
}

/** The host, what anybody may see, the id, whether the request captured itself, and whether its item was hot. */
function readSeen(line: string) {
  const [host = '', visible = '', id = '', captured = '', hot = ''] = line.split('|');
  return { host, visible, id, captured: captured !== '', isHot: hot === '1' };
}

function hostOf(n: number): string {
  return `s${n}.invalid`;
}

function wire({ method = 'GET', target, headers = [], body = '' }: PageRequest, n: number): string {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostOf(n)}`,
    `X-Server: ${hostOf(n)}`,
    ...headers,
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function send({ name, port }: Twin, bytes: string): Promise<Buffer> {
  return exchange(port, bytes).catch((error: Error) => {
    throw new Error(`${name}: ${error.message}: ${bytes}`);
  });
}

function normal(text: string, { name, port }: Twin): string {
  return text
    .replaceAll(new RegExp(`\\b${port}\\b`, 'g'), 'PORT')
    .replaceAll(new RegExp(`(?<=_)${name}(?![a-z])`, 'g'), 'TWIN');
}

/** What an error log's line says, without when, who, how often, and at which step: that may be the subrequest's. */
function errorOf(line: string): string {
  return line
    .replace(/^\S+ \S+ /, '')
    .replace(/\d+#\d+: \*\d+ /, '')
    .replace(/excess: [\d.]+/, 'excess')
    .replace(/ while [a-z ]+(?=,)/, '');
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'latin1').catch(() => '');
  return text.split('\n').slice(0, -1);
}

function writePages(folder: string): void {
  for (const name of [
    'item/1.html',
    'item/2.css',
    'page/1.html',
    'index.html',
    'error.html',
    'item/index.html',
  ]) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), `<!doctype html><title>${name}</title>\n`);
  }
  writeFileSync(
    join(folder, 'page/ssi.html'),
    '<p><!--#include virtual="/item/1?ssi=1" --><p><!--#echo var="uri" -->',
  );
}

function fail(name: string): never {
  throw new Error(`nothing was seen of ${name}`);
}
