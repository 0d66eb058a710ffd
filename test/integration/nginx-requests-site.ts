import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HotItemEvent } from '../../event/event.ts';
import { fromLine } from '../../event/from-line.ts';
import { installNginx } from '../../nginx-setup/install.ts';
import { compareVersions } from '../../nginx-setup/program/version.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { until } from '../parts/until.ts';
import { type RawOrigin, startRawOrigin } from './nginx-requests-origin.ts';
import type { Way } from './nginx-requests-ways.ts';
import { exchange } from './nginx-requests-wire.ts';
import type { PATIENT } from './nginx-shop.ts';
import { createStandIn, type StandIn } from './nginx-stand-in.ts';

/** One nginx, twice the same shop: the same bytes may be sent to the one that captures and the one that does not. */
export type Site = {
  /** Its port captures nothing: `rewrite` and `proxy_pass` as a shop has them. */
  plain: number;
  /** The same locations, and each captures. */
  captured: number;
  /** As `plain` and `captured`, for HTTP/2 in clear text. */
  plain2: number;
  captured2: number;
  /**
   * Answers any request with nginx's own `$args`, a newline and `$uri`, byte for byte, and `/headers` with
   * `$http_referer`, a newline and `$http_user_agent`; captures nothing.
   */
  oracle: number;
  nginx: NginxPart;
  sidecar: StandIn;
  origin: RawOrigin;
  /** The lines that the sidecar has received, or will find in its folder, one character per byte. */
  lines(): Promise<string[]>;
  /**
   * Their events, once a view that is asked for now has arrived, without that one. Waits a little for `count` of them, `lateMs`
   * at most; throws where a line is no event. `ofHost`: none but views of this host.
   */
  events(count: number, ofHost?: string, lateMs?: number): Promise<HotItemEvent[]>;
  /** Forgets what was captured, and what the origin was asked. */
  forget(): Promise<void>;
  close(): Promise<void>;
};

/** Names of files below `page/` and `file/`, one character a byte. */
export const FILES = ['4711.html', 'a b.html', 'a?b.html', '100%.html', 'a;b=c.html', 'caf\xc3\xa9.html'];
/** The length of `long.bin`, whose ranges are requested. */
export const LONG_BYTES = 3_000_000;
export const MODIFIED = new Date('2026-01-02T03:04:05Z');

const SETTLE_MS = 60_000;
/** By this a line that was sent before another is there after it. */
const LATE_MS = 10_000;
const LAST = 'last.invalid';

/** Where a view is captured and then rewritten, by an origin and from a folder; and where it is captured in place. */
const LOCATIONS = `
        location /web/shelf/ {
            @CAPTURE@
            rewrite ^/web(/shelf/.*)$ $1 last;
        }
        location /shelf/ {
            @PROTECT@
            proxy_pass http://@ORIGIN@;
        }
        location /web/page/ {
            @CAPTURE@
            rewrite ^/web(/page/.*)$ $1 last;
        }
        location /page/ {
        }
        location /item/ {
            @CAPTURE@
            @PROTECT@
            proxy_pass http://@ORIGIN@;
        }
        location /file/ {
            @CAPTURE@
        }
        location /stream/ {
            @CAPTURE@
            @PROTECT@
            proxy_pass http://@ORIGIN@;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_buffering off;
        }
        location / {
            @CAPTURE@
            return 200 "$args\n$uri";
        }`;

/** What is to change no page of a cold item, as all are here. */
const PROTECT = ['cache.conf', 'limit.conf', 'announce.conf', 'isolate.conf'];

/** Starts it, with a sidecar that keeps every line. `waits`: of views that wait for it, where not what is shipped. */
export async function startSite({ suite, engine, transport }: Way, waits?: typeof PATIENT): Promise<Site> {
  const build = await obtainNginx({ suite, report: () => {} });
  const { path: folder, remove } = temporaryFolder('site');
  const [plain = 0, captured = 0, plain2 = 0, captured2 = 0, oracle = 0, breaker, originPort = 0] =
    await freePorts(7);
  const [dir, spill, pages] = ['hotitem', 'spill', 'pages'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const socket = join(folder, 'intake.sock');
  await installNginx({
    dir,
    socket,
    spill,
    engine,
    breaker: `127.0.0.1:${breaker}`,
    cache: join(folder, 'kept'),
    ...waits,
  });
  mkdirSync(spill);
  writePages(pages);

  // From 1.25.1 on a port speaks both; before, one in clear text speaks HTTP/2 alone.
  const both = compareVersions(build.version, '1.25.1') >= 0;
  const include = (name: string) => `include "${join(dir, name)}";`;
  const server = (ports: number[], captures: boolean) => `
    server {
        listen 127.0.0.1:${ports[0]};
        ${both ? `listen 127.0.0.1:${ports[1]}; http2 on;` : `listen 127.0.0.1:${ports[1]} http2;`}
        ${captures ? [...transport.server, 'server-hot.conf', 'server-protect.conf', 'server-actions.conf'].map(include).join('\n        ') : ''}
        ${LOCATIONS.replaceAll('@CAPTURE@', captures ? include(transport.location) : '')
          .replaceAll('@PROTECT@', captures ? PROTECT.map(include).join('\n            ') : '')
          .replaceAll('@ORIGIN@', `127.0.0.1:${originPort}`)}
    }`;
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `${build.modules.js === undefined ? '' : `load_module "${build.modules.js}";`}
${WORKER_USER}
worker_processes 1;
pid nginx.pid;
events {
    worker_connections 1024;
}
http {
    ${[...transport.http, 'http-hot.conf', 'http-protect.conf'].map(include).join('\n    ')}
    map $cookie_visit $hotitem_visitor {
        default $cookie_visit;
    }
    types {
        text/html html;
    }
    log_format seen '$server_port $status $request_id';
    access_log seen.log seen;
    ${include('log-shared.conf')}
    root "${pages}";
    client_max_body_size 10m;
    port_in_redirect off;
    large_client_header_buffers 4 16k;
    ${temporaryPaths()}
    ${server([plain, plain2], false)}
    ${server([captured, captured2], true)}
    server {
        listen 127.0.0.1:${oracle};
        location / {
            return 200 "$args\n$uri";
        }
        location = /headers {
            return 200 "$http_referer\n$http_user_agent";
        }
    }
}
`,
  );

  const sidecar = createStandIn(socket);
  await sidecar.start();
  const origin = await startRawOrigin(originPort);
  const nginx = await startNginx({ build, prefix: folder, config }).catch(async (error: unknown) => {
    await closeRest();
    throw error;
  });
  let [posted, asked] = [0, 0];
  /** Lines of each file in the spill folder that are forgotten. */
  let written = new Map<string, number>();
  return {
    plain,
    captured,
    plain2,
    captured2,
    oracle,
    nginx,
    sidecar,
    origin,
    lines,
    events,
    forget,
    close,
  };

  async function lines(): Promise<string[]> {
    const kept = postedLines();
    // What the sidecar has kept and answered too late is spilled as well; the real one knows it by its id.
    const late = new Set(kept);
    const spilled = [...(await linesBelow(spill))].flatMap(([name, all]) => all.slice(written.get(name)));
    return [...kept.slice(posted), ...spilled.filter((line) => !late.has(line))];
  }

  async function events(count: number, ofHost?: string, lateMs = LATE_MS): Promise<HotItemEvent[]> {
    asked += 1;
    const last = `${asked}.${LAST}`;
    await exchange(captured, `GET / HTTP/1.1\r\nHost: ${last}\r\nConnection: close\r\n\r\n`);
    await until(async () => (await lines()).some((line) => line.includes(`\t${last}\t`)), {
      timeoutMs: SETTLE_MS,
      what: 'the line of the last view',
      detail: nginx.errorLog,
    });
    const isAsked = (host = '') => (ofHost === undefined ? !host.endsWith(LAST) : host === ofHost);
    const viewed = async () => (await lines()).map(toEvent).filter(({ host }) => isAsked(host));
    // Too few is for the caller to say: it knows which.
    await until(async () => (await viewed()).length >= count, { timeoutMs: lateMs, what: '' }).catch(
      () => {},
    );
    return viewed();
  }

  async function forget(): Promise<void> {
    posted = postedLines().length;
    written = new Map([...(await linesBelow(spill))].map(([name, all]) => [name, all.length]));
    origin.requests.length = 0;
    origin.torn = 0;
  }

  function postedLines(): string[] {
    const bodies = new Set(sidecar.arrived.filter(({ url }) => url === '/v1/lines').map(({ body }) => body));
    const kept = sidecar.kept
      .filter((body) => bodies.has(body))
      .flatMap((body) => body.split('\n'))
      .filter((line) => line !== '');
    // What is answered too late is posted again; the real one knows it by its id.
    return transport.name === 'batch' ? [...new Set(kept)] : kept;
  }

  async function close(): Promise<void> {
    await nginx.close();
    await closeRest();
  }

  async function closeRest(): Promise<void> {
    await Promise.all([sidecar.stop(), origin.close()]);
    remove();
  }
}

function toEvent(line: string): HotItemEvent {
  const event = fromLine(line, 'web-1');
  if ('reason' in event) throw new Error(`${event.reason}: ${JSON.stringify(line)}`);
  return event;
}

/** By the name of their file: a view may go into any of them. */
async function linesBelow(folder: string): Promise<Map<string, string[]>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.tsv')).sort();
  const files = names.map(async (name): Promise<[string, string[]]> => {
    const text = await readFile(join(folder, name), 'latin1');
    return [name, text.split('\n').slice(0, -1)];
  });
  return new Map(await Promise.all(files));
}

function writePages(folder: string): void {
  for (const place of ['page', 'file']) {
    mkdirSync(join(folder, place), { recursive: true });
    const write = (name: string, text: string | Buffer) => {
      const path = Buffer.from(`${join(folder, place)}/${name}`, 'latin1');
      writeFileSync(path, text);
      utimesSync(path, MODIFIED, MODIFIED);
    };
    for (const name of FILES) write(name, `<!doctype html><title>${name}</title>\n`);
    write('long.bin', Buffer.alloc(LONG_BYTES, '0123456789abcdefghijklmnopqrstuvwxyz'));
  }
}
