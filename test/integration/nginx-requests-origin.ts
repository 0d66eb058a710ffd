import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

export type RawOrigin = {
  /** Each complete request in order, head and body, one character a byte. */
  requests: string[];
  /** Requests that ended before they were complete. */
  torn: number;
  close(): Promise<void>;
};

/** What the origin says to a path that holds this word: enough to fill every buffer on the way. */
export const LARGE = 'large';
const LARGE_BYTES = 4_000_000;

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * An application that keeps every byte that it receives, and whose answer depends on nothing else. It is a plain socket, because an HTTP
 * server would normalise the requests.
 */
export async function startRawOrigin(port: number): Promise<RawOrigin> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const origin: RawOrigin = { requests: [], torn: 0, close };
  return origin;

  function serve(socket: Socket): void {
    let chunks: Buffer[] = [];
    let held = 0;
    let needed = 1;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (held > 0) origin.torn += 1;
    });
    socket.on('data', (bytes) => {
      chunks.push(bytes);
      held += bytes.length;
      if (held < needed) return;
      const received = Buffer.concat(chunks);
      chunks = [received];
      needed = sizeOf(received);
      if (held < needed) return;
      const request = received.subarray(0, needed).toString('latin1');
      const rest = received.subarray(needed);
      chunks = rest.length > 0 ? [rest] : [];
      held = rest.length;
      needed = 1;
      origin.requests.push(request);
      answer(socket, request);
    });
  }

  function close(): Promise<void> {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  }
}

/** The size of the first request; larger than `received` if it is not complete. */
function sizeOf(received: Buffer): number {
  const end = received.indexOf(HEAD_END);
  if (end === -1) return received.length + 1;
  const body = end + HEAD_END.length;
  const head = received.toString('latin1', 0, body);
  if (!/^transfer-encoding: *chunked/im.test(head)) {
    return body + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  }
  const last = received.indexOf('0\r\n\r\n', body, 'latin1');
  return last === -1 ? received.length + 1 : last + 5;
}

function answer(socket: Socket, request: string): void {
  const [line = ''] = request.split('\r\n', 1);
  const body = line.includes(LARGE)
    ? largeOf(line)
    : Buffer.from(`${line}\n${createHash('sha256').update(request, 'latin1').digest('hex')}\n`, 'latin1');
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    'ETag: "1"',
    'Set-Cookie: a=1',
    'Set-Cookie: b="2; 3"',
    'X-Bytes: caf\xe9\ttab',
    ...(closes(request) ? ['Connection: close'] : []),
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  if (!line.startsWith('HEAD ')) socket.write(body);
  if (closes(request)) socket.end();
}

let large = { line: '', body: Buffer.alloc(0) };

/** The same for the same line; many clients ask for it one after the other. */
function largeOf(line: string): Buffer {
  if (large.line !== line) large = { line, body: Buffer.alloc(LARGE_BYTES, line) };
  return large.body;
}

function closes(request: string): boolean {
  return /^[^\r]* HTTP\/1\.0\r\n/.test(request) || /^connection: *close/im.test(request);
}
