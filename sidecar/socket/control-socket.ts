import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type SocketRoute, sendJson } from './socket-route.ts';
import { listenOnSocket } from './unix-socket.ts';

export type ControlSocketOptions = {
  path: string;
  /** By path. */
  routes: Record<string, SocketRoute>;
  warn: (key: string, message: string, fields?: object) => void;
};

export type ControlSocket = {
  /** Why it is unreachable at its path; undefined while it is reachable. */
  failure(): string | undefined;
  /** Requests in flight are answered first. */
  close(): Promise<void>;
};

/** For root and the user of the sidecar only: the kernel rejects all others. */
const OWNER_ONLY = 0o600;
const MOST_CONNECTIONS = 16;

/**
 * The socket for `hotitem capture`, `replay`, `verify` and `dead-letters`: it can switch capture, and create or list events. It is separate
 * from the intake socket, which nginx's workers can open, and on many hosts the shop's own scripts run as their user.
 */
export async function startControlSocket({
  path,
  routes,
  warn,
}: ControlSocketOptions): Promise<ControlSocket> {
  let closing = false;
  const server = createServer(handle);
  server.maxConnections = MOST_CONNECTIONS;
  const listening = await listenOnSocket(server, {
    setting: 'control.socket',
    path,
    mode: OWNER_ONLY,
    warn,
  });
  return { failure: listening.failure, close };

  function handle(request: IncomingMessage, response: ServerResponse): void {
    if (closing) response.setHeader('connection', 'close');
    const [path = ''] = (request.url ?? '').split('?', 1);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route !== undefined) {
      route(request, response);
      return;
    }
    request.resume();
    sendJson(response, 404, { error: 'not found' });
  }

  function close(): Promise<void> {
    closing = true;
    listening.close();
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  }
}
