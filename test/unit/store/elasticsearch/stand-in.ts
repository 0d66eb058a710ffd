import { once } from 'node:events';
import { createServer } from 'node:http';

export type Asked = { method: string; path: string; body: string };

/** An object is sent as JSON, a text as a page, and bytes as they are (JSON, perhaps compressed). */
export type Answer = { status: number; body?: unknown; product?: string; encoding?: 'gzip' | 'deflate' };

export type StandIn = { node: string; asked: Asked[]; close(): Promise<void> };

/**
 * Answers what a real Elasticsearch cannot be made to answer: limits of a proxy before it, overload, a lost login. Closes the connection
 * where there is no answer.
 */
export async function startStandIn(answer: (asked: Asked) => Answer | undefined): Promise<StandIn> {
  const asked: Asked[] = [];
  // Not in 5 s: on a busy machine a kept connection would be closed while it is asked.
  const server = createServer({ keepAliveTimeout: 75_000 }, async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { method = '', url = '' } = request;
    const question = { method, path: url, body };
    asked.push(question);
    const answered = answer(question);
    if (answered === undefined) return void response.destroy();
    const { status, body: reply = {}, product = 'Elasticsearch', encoding } = answered;
    const isPage = typeof reply === 'string';
    response.writeHead(status, {
      'content-type': isPage ? 'text/html' : 'application/json',
      'x-elastic-product': product,
      ...(encoding && { 'content-encoding': encoding }),
      ...(status > 299 && status < 400 && { location: 'http://127.0.0.1:1/' }),
    });
    response.end(isPage || Buffer.isBuffer(reply) ? reply : JSON.stringify(reply));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stand-in has no port');
  return { node: `http://127.0.0.1:${address.port}`, asked, close };

  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}
