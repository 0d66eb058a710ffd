import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

export type HostileOrigin = {
  port: number;
  /** The requests as they came, in order. */
  asked: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  /** How the page of an item behaves, by the beginning of the item's name. */
  answers: Record<string, Answer>;
  /** Ends all connections, and refuses others. */
  close(): Promise<void>;
  /** Listens again. */
  open(): Promise<void>;
};

type Answer = (request: IncomingMessage, response: ServerResponse, page: string) => void;

/** An application that does all that a shop should not do. Each answer begins with its own number, and repeats what was asked. */
export async function startHostileOrigin(port: number): Promise<HostileOrigin> {
  const asked: HostileOrigin['asked'] = [];
  const answers: Record<string, Answer> = { ...HOSTILE };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers });
    const kind = /\/([a-z]+)[^/]*$/.exec(url.replace(/[?;].*/s, ''))?.[1] ?? '';
    const page = `page ${asked.length} of ${method} ${url}\n${JSON.stringify(headers)}\n`;
    request.resume();
    response.setHeader('Content-Type', 'text/html');
    (answers[kind] ?? ((_, plain, text) => plain.end(text)))(request, response, page);
  });
  await open();
  return { port, asked, answers, close, open };

  function open(): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  }

  function close(): Promise<void> {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  }
}

/** What must never be stored, however it is asked for. */
export const HOSTILE: Record<string, Answer> = {
  cookie: with_({ 'Set-Cookie': 'session=1' }),
  private: with_({ 'Cache-Control': 'private' }),
  nostore: with_({ 'Cache-Control': 'max-age=60, no-store' }),
  nocache: with_({ 'Cache-Control': 'No-Cache' }),
  zero: with_({ 'Cache-Control': 'public, max-age=0' }),
  shared: with_({ 'Cache-Control': 's-maxage="00"' }),
  accel: with_({ 'X-Accel-Expires': '0' }),
  unbuffered: with_({ 'X-Accel-Buffering': 'no' }),
  star: with_({ Vary: '*' }),
  vary: with_({ Vary: 'Accept-Encoding, Cookie' }),
  language: with_({ Vary: 'Accept-Language' }),
  gzip: (_, response, page) => {
    response.setHeader('Content-Encoding', 'gzip');
    response.end(gzipSync(page));
  },
  blank: (_, response) => response.end(),
  redirect: (_, response) => response.writeHead(302, { Location: '/elsewhere' }).end(),
  missing: (_, response, page) => response.writeHead(404).end(page),
  failing: (_, response, page) => response.writeHead(503).end(page),
  created: (_, response, page) => response.writeHead(201).end(page),
  torn: (_, response, page) => {
    response.setHeader('Content-Length', page.length + 10);
    response.write(page);
    response.socket?.end();
  },
  cut: (_, response, page) => {
    response.write(page, () => response.socket?.destroy());
  },
  silent: (request) => request.socket.destroy(),
  huge: (_, response) => response.end(Buffer.alloc(10_000_000, 'x')),
};

function with_(headers: Record<string, string>): Answer {
  return (_, response, page) => response.writeHead(200, headers).end(page);
}
