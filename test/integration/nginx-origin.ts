import { createServer, type IncomingHttpHeaders } from 'node:http';

export type Origin = {
  port: number;
  /** The request lines as they came, with the body, in order. */
  asked: { line: string; headers: IncomingHttpHeaders; body: string }[];
  close(): Promise<void>;
};

/** An application behind nginx that repeats the request line it got. */
export async function startOrigin(port: number): Promise<Origin> {
  const asked: Origin['asked'] = [];
  const server = createServer((request, response) => {
    request.setEncoding('latin1');
    let body = '';
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const line = `${request.method} ${request.url}`;
      asked.push({ line, headers: request.headers, body });
      response.end(line, 'latin1');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return { port, asked, close };

  function close(): Promise<void> {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  }
}
