import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import { closeServer } from './close-server.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import { ARRIVED, createShortPosts, type PostStatus } from './short-posts.ts';
import type { SocketRoute } from './socket-route.ts';
import type { TakeIn } from './take-in.ts';
import { listenOnSocket, type SocketOptions } from './unix-socket.ts';

export type IntakeOptions = Omit<SocketOptions, 'setting'> & {
  takeIn: TakeIn;
  maxRequestBytes: number;
  maxConnections: number;
  /** What else nginx asks on this socket, by path without the query. */
  routes?: Record<string, SocketRoute>;
  metrics: Metrics<typeof SIDECAR_METRICS>;
};

const STALLED_MS = 10_000;

export type Intake = {
  /** Why nginx does not reach it at its path; undefined while it does. */
  failure(): string | undefined;
  close(): Promise<void>;
};

/**
 * `POST /v1/lines` on a unix socket. 204: every line is on disk. 400: none of them is an event, do not send them again.
 * 413 and 503: nothing was kept, nginx spills them. An answer has no body, or nginx would not reuse the connection.
 */
export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const { takeIn, maxRequestBytes, metrics, warn, routes = {} } = options;
  const refused = {
    413: metrics.of('intake_refused_total', { reason: 'too_large' }),
    400: metrics.of('intake_refused_total', { reason: 'bad' }),
    404: metrics.of('intake_refused_total', { reason: 'not_found' }),
    503: metrics.of('intake_refused_total', { reason: 'unavailable' }),
  };
  let closing = false;
  // No request time-out of Node's: it would answer 408, which nginx does not spill. A stalled connection is cut instead.
  const server = createServer({ maxHeaderSize: 8192, keepAliveTimeout: 75_000, requestTimeout: 0 }, handle);
  server.timeout = STALLED_MS;
  server.maxConnections = options.maxConnections;
  const [toHttp] = server.listeners('connection');
  if (toHttp === undefined) throw new Error('this Node serves connections in a way that is not known here');
  server.removeAllListeners('connection');
  const short = createShortPosts({ post, maxRequestBytes, toHttp: (socket) => toHttp.call(server, socket) });
  server.on('connection', short.serve);
  const listening = await listenOnSocket(server, { ...options, setting: 'intake.socket' });
  return { failure: listening.failure, close };

  function handle(request: IncomingMessage, response: ServerResponse): void {
    response.sendDate = false;
    if (request.url !== '/v1/lines' || request.method !== 'POST') {
      handleOther(request, response);
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxRequestBytes) chunks.push(chunk);
    });
    request.on('end', () => {
      if (length > maxRequestBytes) {
        refuse(413, request, response);
        return;
      }
      void post(Buffer.concat(chunks)).then((status) => answer(status, response));
    });
    request.on('error', () => response.destroy());
  }

  /** What to answer to `lines`; what is refused is counted. */
  async function post(lines: Buffer): Promise<PostStatus> {
    try {
      const taken = await takeIn(lines, 'intake');
      if (taken.bad === 0 || taken.bad < taken.lines) return 204;
      refused[400].add();
      return 400;
    } catch (error) {
      warn('intake', 'cannot write to the spool, nginx spills', { reason: reasonOf(error) });
      refused[503].add();
      return 503;
    }
  }

  function handleOther(request: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = request.url?.split('?', 1) ?? [];
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) {
      refuse(404, request, response);
      return;
    }
    if (closing) response.setHeader('connection', 'close');
    route(request, response);
  }

  function refuse(status: keyof typeof refused, request: IncomingMessage, response: ServerResponse): void {
    refused[status].add();
    request.resume();
    answer(status, response);
  }

  function answer(status: number, response: ServerResponse): void {
    if (closing) response.setHeader('connection', 'close');
    // Set by hand, in one write: 204 must not, the others must say that no body follows.
    const arrived = status === 204 || status === 400 ? { location: ARRIVED } : {};
    response.writeHead(status, status === 204 ? arrived : { ...arrived, 'content-length': '0' });
    response.end();
  }

  /** Requests in hand are answered; nginx then finds no listener and spills. */
  function close(): Promise<void> {
    closing = true;
    short.close();
    listening.close();
    return closeServer(server);
  }
}
