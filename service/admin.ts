import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { normalHost, splitAddress } from './listen-address.ts';
import { type Log, reasonOf } from './log.ts';

export type Reply = { status: number; type: string; body: string | Buffer };
export type Route = (url: URL) => Reply | Promise<Reply>;

/** A thing that must work before traffic may come: `true`, or why it does not. */
export type Check = { name: string; ready: () => true | string };

export type AdminOptions = {
  /** `HOST:PORT` */
  listen: string;
  allowedHosts: string[];
  routes: Record<string, Route>;
  checks: Check[];
  registry: Registry;
  log: Log;
};

export type Admin = { port: number; close(): Promise<void> };

const MAX_CONNECTIONS = 256;
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * The listener for people and monitoring: `/livez`, `/readyz`, `/metrics` and the routes of the service. It only answers
 * GET and HEAD, and only to a Host that is ours, so that no page elsewhere can read it through a name that it resolves to
 * loopback (DNS rebinding). Rejects with the system's error when the address cannot be had.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { host, port } = splitAddress(options.listen);
  const routes = new Map<string, Route>([
    ['/livez', () => text(200, 'ok')],
    ['/readyz', (url) => readiness(options.checks, url.searchParams.has('verbose'))],
    [
      '/metrics',
      async () => ({
        status: 200,
        type: options.registry.contentType,
        body: await options.registry.metrics(),
      }),
    ],
    ...Object.entries(options.routes),
  ]);
  const hosts = new Set(
    ['localhost', '127.0.0.1', '[::1]', host, ...options.allowedHosts].map((name) => normalHost(name)),
  );
  const server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000 }, (request, response) => {
    answer(request, routes, hosts, options.log).then((reply) => send(request, response, reply));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, host, port);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => close(server),
  };
}

/** A reply that holds `value` as JSON. */
export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

function text(status: number, line: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body: `${line}\n` };
}

async function answer(
  request: IncomingMessage,
  routes: Map<string, Route>,
  hosts: Set<string>,
  log: Log,
): Promise<Reply> {
  const host = request.headers.host ?? '';
  if (!hosts.has(withoutPort(host))) {
    return text(403, 'this Host is not served here; admin.allowed_hosts can name it');
  }
  const origin = request.headers.origin;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return text(403, 'other origins are not served');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD');
  const target = `http://host${request.url}`;
  if (!URL.canParse(target)) return text(400, 'no such address');
  const url = new URL(target);
  const route = routes.get(url.pathname);
  if (route === undefined) return text(404, 'no such page');
  try {
    return await route(url);
  } catch (error) {
    log.error({ path: url.pathname, reason: reasonOf(error) }, 'a request to the admin listener failed');
    return json(500, { error: 'this failed; the log says why' });
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Reply): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function readiness(checks: Check[], verbose: boolean): Reply {
  const results = checks.map(({ name, ready }) => ({ name, state: ready() }));
  const status = results.every(({ state }) => state === true) ? 200 : 503;
  if (!verbose) return text(status, status === 200 ? 'ok' : 'not ready');
  return text(
    status,
    results.map(({ name, state }) => `${name}: ${state === true ? 'ok' : state}`).join('\n'),
  );
}

/** What a `Host` names. `[::]` is the whole of it, and ends in no port. */
function withoutPort(host: string): string {
  return normalHost(host.replace(/:\d+$/, ''));
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
