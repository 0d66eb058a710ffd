import { connect } from 'node:net';

export type HttpConnection = {
  /** Sends bytes unchanged and resolves with the status of the response. One request at a time. */
  send(request: Buffer): Promise<number>;
  /** False once the other side has closed it, or has announced it. */
  usable(): boolean;
  close(): void;
};

type Waiting = { resolve(status: number): void; reject(error: Error): void };
type Head = { status: number; length: number | 'chunked' | 'until close'; keepsAlive: boolean };

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * One keep-alive connection on which any bytes can be sent: Node's own client rejects or rewrites what hostile shoppers send.
 * Parses only the HTTP/1.1 that nginx writes.
 */
export function openConnection(options: { port: number; timeoutMs: number }): HttpConnection {
  const { port, timeoutMs } = options;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let usable = true;
  let waiting: Waiting | undefined;
  let received = Buffer.alloc(0);
  let head: Head | undefined;

  socket.on('data', (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    readAnswer();
  });
  socket.on('error', fail);
  socket.on('close', () => {
    if (head?.length === 'until close') finish(head.status);
    fail(new Error('closed before the answer was complete'));
  });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));

  return { send, usable: () => usable, close: () => socket.destroy() };

  function send(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      if (!usable) return fail(new Error('closed'));
      socket.setTimeout(timeoutMs);
      socket.write(request);
    });
  }

  function readAnswer(): void {
    if (head === undefined) {
      const end = received.indexOf(HEAD_END);
      if (end === -1) return;
      head = parseHead(received.subarray(0, end).toString('latin1'));
      received = received.subarray(end + HEAD_END.length);
      if (!head.keepsAlive) usable = false;
    }
    if (isComplete(head)) finish(head.status);
  }

  function isComplete({ length }: Head): boolean {
    if (length === 'until close') return false;
    if (length === 'chunked') return received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
    return received.length >= length;
  }

  function finish(status: number): void {
    const { resolve } = waiting ?? {};
    waiting = undefined;
    head = undefined;
    received = Buffer.alloc(0);
    if (usable) socket.setTimeout(0);
    else socket.destroy();
    resolve?.(status);
  }

  function fail(error: Error): void {
    usable = false;
    waiting?.reject(error);
    waiting = undefined;
  }
}

function parseHead(text: string): Head {
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
  if (Number.isNaN(status)) return { status: 0, length: 'until close', keepsAlive: false };
  const keepsAlive = !/^connection: *close/im.test(text);
  if (status === 204 || status === 304) return { status, length: 0, keepsAlive };
  if (/^transfer-encoding: *chunked/im.test(text)) return { status, length: 'chunked', keepsAlive };
  const length = /^content-length: *(\d+)/im.exec(text)?.[1];
  return { status, length: length === undefined ? 'until close' : Number(length), keepsAlive };
}
