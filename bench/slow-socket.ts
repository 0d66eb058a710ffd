import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export type SlowSocket = {
  /** From now on each request waits that long. */
  delay(ms: number): void;
  close(): void;
};

/**
 * A sidecar that can be slow: takes what is posted to `socket`, and hands it to the real one at `behind` after a delay,
 * none at first. Resolves when it listens.
 */
export async function startSlowSocket(options: { socket: string; behind: string }): Promise<SlowSocket> {
  const { socket, behind } = options;
  const agent = new Agent({ keepAlive: true });
  let delayMs = 0;
  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => setTimeout(() => pass(asked, Buffer.concat(chunks), answer), delayMs));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socket, resolve);
  });
  return {
    delay(ms) {
      delayMs = ms;
    },
    close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };

  function pass({ method, url }: IncomingMessage, body: Buffer, answer: ServerResponse): void {
    const headers = { host: 'hotitem', 'content-length': body.length };
    const passed = request({ socketPath: behind, method, path: url, headers, agent }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, { 'content-length': reply.headers['content-length'] ?? 0 });
      reply.pipe(answer);
    });
    passed.once('error', () => answer.destroy());
    passed.end(body);
  }
}
