import { connect, type Socket } from 'node:net';

export type Answer = {
  status: number;
  /** All that came back, one character a byte, without what differs between two answers to the same request. */
  text: string;
  body: Buffer;
};

const TIMEOUT_MS = 60_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/** Sends bytes as they are and resolves with all that comes back until nginx closes: ask it to with `Connection: close`. */
export function exchange(port: number, request: string, host = '127.0.0.1'): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host, noDelay: true });
    socket.on('data', (bytes) => chunks.push(bytes));
    // nginx that refuses a request may close before it has read all of it.
    socket.on('error', (error) => (chunks.length > 0 ? resolve(Buffer.concat(chunks)) : reject(error)));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no end within ${TIMEOUT_MS} ms`)));
    socket.write(request, 'latin1');
  });
}

/** Parses bytes that are exactly one answer. */
export function readAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf(HEAD_END);
  const head = bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0),
    text: steady(bytes),
    body: end === -1 ? Buffer.alloc(0) : bytes.subarray(end + HEAD_END.length),
  };
}

/** One answer or many as text, without dates and without the number by which nginx parts the ranges of one answer. */
export function steady(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/^Date: .*\r\n/gm, '');
  const boundary = /^Content-Type: multipart\/byteranges; boundary=(\w+)/m.exec(text)?.[1];
  return boundary === undefined ? text : text.replaceAll(boundary, 'boundary');
}

/** A connection that is open, for those who break it. */
export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
