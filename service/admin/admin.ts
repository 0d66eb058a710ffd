import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { isLoopbackAddress, normalHost, splitAddress } from '../listen-address.ts';
import { type Log, reasonOf } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type ActionAnswer, type ActionRoutes, type Actions, createActions } from './admin-actions.ts';
import { createConnections } from './admin-connections.ts';
import type { ADMIN_METRICS } from './admin-metrics.ts';
import { refusalOf } from './admin-refusal.ts';
import { askerOf } from './asker.ts';

export type Reply = {
  status: number;
  type: string;
  body: string | Buffer;
  /** The body compressed, for clients that can read it so. */
  gzip?: Buffer | undefined;
  headers?: Record<string, string>;
  /** Why a request got no answer: a label of metrics. */
  refused?: string;
};

/** An answer that goes on until the client disconnects, or until it is ended. */
export type Stream = {
  type: string;
  /** Called once the head is sent. */
  open(client: StreamClient, asker: AbortSignal): void;
};

export type StreamClient = {
  /** False: the client reads too slowly, and was disconnected. The same bytes for several clients are in memory once. */
  write(bytes: Buffer): boolean;
  end(): void;
};

/** `asker` fires when the client has disconnected; `from` is its address. */
export type Route = (url: URL, asker: AbortSignal, from: string) => Reply | Stream | Promise<Reply | Stream>;

/** A thing that must work before traffic may come: `true`, or why it does not. */
export type Check = {
  name: string;
  ready: () => true | string;
  /** `/readyz?verbose` says why, but traffic may come all the same. */
  isNote?: true;
};

export type AdminOptions = {
  /** `HOST:PORT` */
  listen: string;
  allowedHosts: string[];
  routes: Record<string, Route>;
  /** What may be changed by POST, where control is configured. */
  actions?: Actions | undefined;
  checks: Check[];
  registry: Registry;
  metrics: Metrics<typeof ADMIN_METRICS>;
  log: Log;
  /** A client that reads nothing of the end of its answer for as long is disconnected. */
  patienceMs?: number;
};

export type Admin = { port: number; close(): Promise<void> };

const CONNECTIONS = { most: 512, reserved: 32 };
/** Answered however many streams and queries there are, as actions are. */
const RESERVED = new Set(['/livez', '/readyz', '/metrics']);
/** What a client of a stream may leave unread, beyond what it got first. */
const MAX_UNREAD_BYTES = 256 * 1024;
const PATIENCE_MS = 5_000;
/** Headers: a browser also sends the cookies of everything else on this host, whatever its port. */
const LIMITS = { maxHeaderSize: 32_768, requestTimeout: 10_000, connectionsCheckingInterval: 5_000 };
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
/** Of a stream: a proxy would collect it, nginx until its buffers are full, others until it is worth compressing. */
const UNBUFFERED = { 'x-accel-buffering': 'no', 'cache-control': 'no-store, no-transform' };

/**
 * The listener for people and monitoring: `/livez`, `/readyz`, `/metrics` and the routes of the service. It only answers
 * GET and HEAD (and POST where there are `actions`), only to a Host that is ours, so that no page elsewhere can read it through a
 * name that it resolves to loopback (DNS rebinding), and to no other site (`refusalOf`). Rejects with the system's error when the
 * address cannot be had.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { log, metrics, patienceMs = PATIENCE_MS } = options;
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
  const actions = options.actions && createActions(options.actions, () => isLoopback(server));
  const server = createServer(LIMITS, (request, response) => {
    const asker = leftBy(response);
    const answering = connections.during(request.socket, async () => {
      const reply = await answer(request, {
        routes,
        actions,
        hosts,
        log,
        asker,
        isCrowded: connections.isCrowded,
      });
      if ('open' in reply) return stream(request, response, reply, asker, patienceMs);
      if (reply.refused !== undefined) metrics.of('admin_refused_total', { reason: reply.refused }).add();
      if (!asker.aborted) send(request, response, reply, patienceMs);
    });
    answering.catch((error: unknown) => {
      log.error({ reason: reasonOf(error) }, 'an answer of the admin listener failed');
      response.destroy();
    });
  });
  for (const { name, ready } of options.checks.filter(({ isNote }) => isNote !== true))
    metrics.of('ready', { check: name }).follow(() => (ready() === true ? 1 : 0));
  const closed = metrics.of('admin_connections_closed_total');
  const connections = createConnections(server, CONNECTIONS, () => closed.add());
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

/** Fires when the connection is closed before the answer. */
function leftBy(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client disconnected')));
  return gone.signal;
}

type Answering = {
  routes: Map<string, Route>;
  actions: ActionRoutes | undefined;
  hosts: Set<string>;
  log: Log;
  asker: AbortSignal;
  isCrowded: () => boolean;
};

async function answer(
  request: IncomingMessage,
  { routes, actions, hosts, log, asker, isCrowded }: Answering,
): Promise<Reply | Stream> {
  const target = `http://host${request.url}`;
  if (!URL.canParse(target)) return text(400, 'no such address');
  const url = new URL(target);
  const action = actions?.of(url.pathname);
  const refusal = refusalOf(request, url.pathname, hosts, action !== undefined);
  if (refusal !== undefined) return { ...text(refusal.status, refusal.text), refused: refusal.reason };
  const route = routes.get(url.pathname);
  try {
    if (action !== undefined) return toReply(await action(request, url));
    if (route === undefined) return text(404, 'no such page');
    if (isCrowded() && !RESERVED.has(url.pathname))
      return { ...text(503, 'too many requests at once, try again'), refused: 'connections' };
    return await route(url, asker, askerOf(request).from);
  } catch (error) {
    if (asker.aborted) return text(503, 'the client disconnected');
    log.error({ path: url.pathname, reason: reasonOf(error) }, 'a request to the admin listener failed');
    return json(500, { error: 'this failed; see the log' });
  }
}

function toReply({ status, value, refused, headers }: ActionAnswer): Reply {
  if (refused === undefined) return json(status, value);
  // Of a request that is refused the body may still come.
  return { ...json(status, value), refused, headers: { ...headers, connection: 'close' } };
}

function isLoopback(server: Server): boolean {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null && isLoopbackAddress(bound.address);
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply, patienceMs: number): void {
  const { status, type, headers, gzip } = reply;
  const isCompressed = gzip !== undefined && readsGzip(request);
  const body = isCompressed ? gzip : reply.body;
  response.writeHead(status, {
    ...HEADERS,
    ...headers,
    ...(gzip !== undefined && { vary: 'accept-encoding' }),
    ...(isCompressed && { 'content-encoding': 'gzip' }),
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  });
  endOf(response, patienceMs, request.method === 'HEAD' ? undefined : body);
}

/** What is not read yet stays in memory, and its connection is taken: so only as long as the client goes on reading. */
function endOf(response: ServerResponse, patienceMs: number, body?: string | Buffer): void {
  response.end(body);
  if (!response.writableFinished) response.setTimeout(patienceMs, () => response.destroy());
}

/** Whether it says so, and not that it would rather not (`q=0`). */
function readsGzip({ headers }: IncomingMessage): boolean {
  return /(^|[\s,])gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))|,|$)/i.test(String(headers['accept-encoding'] ?? ''));
}

/** Resolves when the client has disconnected. */
async function stream(
  request: IncomingMessage,
  response: ServerResponse,
  { type, open }: Stream,
  asker: AbortSignal,
  patienceMs: number,
): Promise<void> {
  response.writeHead(200, { ...HEADERS, ...UNBUFFERED, 'content-type': type });
  if (request.method === 'HEAD') {
    endOf(response, patienceMs);
    return;
  }
  response.flushHeaders();
  if (asker.aborted) return;
  const gone = once(asker, 'abort');
  let limit: number | undefined;
  open({ write, end: () => endOf(response, patienceMs) }, asker);
  await gone;

  function write(bytes: Buffer): boolean {
    limit ??= MAX_UNREAD_BYTES + bytes.length;
    if (response.writableLength > limit) {
      response.destroy();
      return false;
    }
    response.write(bytes);
    return true;
  }
}

function readiness(checks: Check[], verbose: boolean): Reply {
  const results = checks.map(({ name, ready, isNote }) => ({ name, state: ready(), isNote }));
  const status = results.every(({ state, isNote }) => state === true || isNote) ? 200 : 503;
  if (!verbose) return text(status, status === 200 ? 'ok' : 'not ready');
  return text(
    status,
    results.map(({ name, state }) => `${name}: ${state === true ? 'ok' : state}`).join('\n'),
  );
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
