import type { Socket } from 'node:net';

/** What a request for lines comes to. */
export type PostStatus = 204 | 400 | 503;

export type ShortPostsOptions = {
  /** Deals with the body of one request. Never rejects. */
  post: (body: Buffer) => Promise<PostStatus>;
  maxRequestBytes: number;
  /** Takes over a connection from its next byte on. */
  toHttp: (socket: Socket) => void;
};

export type ShortPosts = {
  serve(socket: Socket): void;
  /** Ends the connections: idle ones at once, the others with their answer. */
  close(): void;
};

/** Longer than nginx keeps a connection idle (30 s), or a view would meet one that is just being closed. */
const IDLE_MS = 75_000;
/** A request as server.conf makes nginx send it, and nothing else: no header more, no other spelling. */
const HEAD = /^POST \/v1\/lines HTTP\/1\.1\r\nHost: [\w.-]{1,100}\r\nContent-Length: (\d{1,6})\r\n\r\n/;
const LONGEST_HEAD = 200;
/** By this header, and not by the status, server.conf notes on the page that its view has arrived. */
export const ARRIVED = '/arrived';
const ANSWERS: Record<PostStatus, string> = {
  204: `HTTP/1.1 204 No Content\r\nLocation: ${ARRIVED}\r\n`,
  400: `HTTP/1.1 400 Bad Request\r\nLocation: ${ARRIVED}\r\nContent-Length: 0\r\n`,
  503: 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n',
};

/**
 * Answers the requests that nginx sends for each view, without Node's http: that takes two thirds of the time in which one
 * is dealt with. It takes what begins as `HEAD` says and has arrived whole, one request at a time. At the first byte
 * that is anything else, the connection is Node's for good, from the request on that this byte is of: its parser
 * is the one that judges what is unusual or malformed.
 */
export function createShortPosts({ post, maxRequestBytes, toHttp }: ShortPostsOptions): ShortPosts {
  /** How to end each connection. */
  const open = new Set<() => void>();
  let closing = false;
  return {
    serve,
    close() {
      closing = true;
      for (const end of open) end();
    },
  };

  function serve(socket: Socket): void {
    let answering = false;
    let ended = false;
    /** What came before the answer to what was asked: nginx never does that. */
    let early: Buffer | undefined;
    open.add(end);
    const listeners = { data, end: finish, timeout: destroy, error: destroy, close: forget };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    socket.setTimeout(IDLE_MS);

    function data(chunk: Buffer): void {
      if (answering) {
        early = early === undefined ? chunk : Buffer.concat([early, chunk]);
        socket.pause();
        return;
      }
      const body = bodyOf(chunk);
      if (body === undefined) {
        handOver(chunk);
        return;
      }
      answering = true;
      void post(body).then(answer);
    }

    function bodyOf(chunk: Buffer): Buffer | undefined {
      const [head, length] = HEAD.exec(chunk.toString('latin1', 0, LONGEST_HEAD)) ?? [];
      if (head === undefined || Number(length) > maxRequestBytes) return undefined;
      return head.length + Number(length) === chunk.length ? chunk.subarray(head.length) : undefined;
    }

    function answer(status: PostStatus): void {
      answering = false;
      if (closing || ended) {
        socket.end(`${ANSWERS[status]}Connection: close\r\n\r\n`, 'latin1');
        return;
      }
      socket.write(`${ANSWERS[status]}\r\n`, 'latin1');
      if (early !== undefined) handOver(early);
    }

    function handOver(chunk: Buffer): void {
      forget();
      for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
      socket.setTimeout(0);
      // Paused while it goes back: a stream that flows would not look for it again.
      socket.pause();
      socket.unshift(chunk);
      toHttp(socket);
      socket.resume();
    }

    function end(): void {
      if (!answering) socket.end();
    }

    function finish(): void {
      ended = true;
      end();
    }

    function destroy(): void {
      socket.destroy();
    }

    function forget(): void {
      open.delete(end);
    }
  }
}
