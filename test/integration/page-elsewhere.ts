import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listener that is none of ours. */
export type Elsewhere = {
  port: number;
  /** Ends all connections. */
  cut(): void;
  close(): Promise<void>;
};

/** A web page on another port, whose body is `html`. */
export function servePage(html: string): Promise<Elsewhere> {
  return listen((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>elsewhere</title>${html}`);
  });
}

/**
 * A proxy as an operator puts before the page: requires a login at `login` where there is no cookie of it, passes on what the browser
 * sends, and writes its own name for `admin` into Host.
 */
export function serveProxy(admin: string, login: () => string): Promise<Elsewhere> {
  const [host, port] = admin.split(':');
  return listen((incoming, response) => {
    if (incoming.url === '/?welcome') response.setHeader('set-cookie', 'login=done');
    else if (incoming.headers.cookie !== 'login=done') {
      response.writeHead(302, { location: login() }).end();
      return;
    }
    const headers = { ...incoming.headers, host: admin };
    const asked = request({ host, port, path: incoming.url, method: incoming.method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    asked.on('error', () => response.destroy());
    asked.end();
  });
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Elsewhere> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
