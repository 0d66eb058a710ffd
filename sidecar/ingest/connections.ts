import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { TimeSlices } from '../../service/time-slices.ts';
import type { InHand } from './in-hand.ts';
import { type Arrived, createIncoming, type Incoming, type Refused } from './incoming.ts';

/** The answer to a request for lines. */
export type PostStatus = 204 | 400 | 413 | 503;

/** `value` is sent as JSON. */
export type Answer = { status: number; value?: unknown };

export type ConnectionsOptions = {
  /** Handles the body of a request for lines, and releases it. Never rejects. */
  post: (body: Buffer) => Promise<PostStatus>;
  /** Handles any other request. */
  ask: (request: Arrived['head'], gone: AbortSignal) => Promise<Answer>;
  /** Counts a request that is handled by neither; `slow`: it did not arrive in time. */
  onRefused: (status: Refused | 'slow') => void;
  inHand: InHand;
  /** Limits how long work that many connections ask for at once may block. */
  inSlices: TimeSlices;
  maxRequestBytes: number;
  longestRequestMs: number;
};

export type Connections = {
  serve(socket: Socket): void;
  /** Ends the connections: those with a pending answer after it, the others at once. */
  close(): void;
};

/** Longer than nginx keeps a connection idle (30 s); otherwise a view could use one that is being closed. */
const IDLE_MS = 75_000;
/** The exact request head that server.conf makes nginx send, without any other header. */
const HEAD = /^POST \/v1\/lines HTTP\/1\.1\r\nHost: [\w.-]{1,100}\r\nContent-Length: (\d{1,6})\r\n\r\n/;
const LONGEST_HEAD = 200;
const LONG_ANSWER = 4 * 1024;
/** Maximum number of clients that read an answer slowly; each holds its answer in memory. */
const MOST_DRAINING = 16;
/** By this header, and not by the status, server.conf notes on the page that its view has arrived. */
export const ARRIVED = '/arrived';
const ANSWERS: Record<PostStatus, string> = {
  204: `HTTP/1.1 204 No Content\r\nLocation: ${ARRIVED}\r\n`,
  400: `HTTP/1.1 400 Bad Request\r\nLocation: ${ARRIVED}\r\nContent-Length: 0\r\n`,
  413: 'HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n',
  503: 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n',
};

/**
 * Serves HTTP/1.1 to nginx, one request at a time per connection.
 *
 * - Fast path: nearly every request arrives in one chunk and begins as `HEAD` says; its body is a slice of that chunk.
 * - Slow path: any other request is an `Incoming`, and must arrive within `longestRequestMs`.
 *
 * It does not use Node's http, which would take two thirds of the time that a view costs, and whose parser handles all requests of a
 * client before the rest of the process gets its turn. A client that sends a request before the previous one is answered, which nginx
 * never does, gets that answer and is disconnected; so is one that does not read its answers.
 *
 * A thousand connections may send, time out, or wait for the same change at once: such work is done in slices.
 */
export function createConnections(options: ConnectionsOptions): Connections {
  const { post, ask, onRefused, inHand, inSlices, maxRequestBytes, longestRequestMs } = options;
  /** How to end each connection. */
  const open = new Set<() => void>();
  let closing = false;
  let draining = 0;
  return {
    serve,
    close() {
      closing = true;
      for (const end of open) end();
    },
  };

  function serve(socket: Socket): void {
    let answering = false;
    /** Whether the next answer is the last. */
    let isLast = false;
    let incoming: Incoming | undefined;
    let late: NodeJS.Timeout | undefined;
    /** Aborts what the request waits for. */
    let leave = () => {};
    open.add(end);
    socket.on('data', data).on('end', finish).on('timeout', destroy).on('error', destroy).on('close', forget);
    socket.setTimeout(IDLE_MS);

    function data(chunk: Buffer): void {
      if (answering) {
        isLast = true;
        socket.pause();
        return;
      }
      const body = incoming === undefined ? bodyOf(chunk) : undefined;
      if (body === undefined) {
        (incoming ?? begin()).add(chunk);
        return;
      }
      const isTaken = inHand.take(body.length);
      inSlice(() => (isTaken ? answerLines(body) : refuse(503)));
    }

    /** Nothing is read until it is answered. */
    function inSlice(work: () => void): void {
      answering = true;
      inSlices(work);
    }

    function answerLines(lines: Buffer): void {
      void post(lines).then(answerPost);
    }

    function bodyOf(chunk: Buffer): Buffer | undefined {
      const [head, length] = HEAD.exec(chunk.toString('latin1', 0, LONGEST_HEAD)) ?? [];
      if (head === undefined || Number(length) > maxRequestBytes) return undefined;
      return head.length + Number(length) === chunk.length ? chunk.subarray(head.length) : undefined;
    }

    function begin(): Incoming {
      late = setTimeout(() => {
        forgetIncoming();
        isLast = true;
        inSlice(() => {
          onRefused('slow');
          answerPost(503);
        });
      }, longestRequestMs);
      late.unref();
      incoming = createIncoming({ mostBytes: maxRequestBytes, inHand, done: arrive });
      return incoming;
    }

    function arrive(request: Arrived | Refused, isLastOne: boolean): void {
      forgetIncoming();
      isLast ||= isLastOne;
      inSlice(() => {
        if (typeof request === 'number') refuse(request);
        else if (isPost(request.head)) answerLines(request.body);
        else askOther(request);
      });
    }

    function askOther({ head, body }: Arrived): void {
      inHand.letGo(body.length);
      const gone = new AbortController();
      leave = () => gone.abort();
      void ask(head, gone.signal)
        .catch(() => ({ status: 500 }))
        .then((told) => inSlices(() => answer(told)));
    }

    function refuse(status: Refused): void {
      onRefused(status);
      answer({ status });
    }

    function answerPost(status: PostStatus): void {
      write(ANSWERS[status], '');
    }

    function answer({ status, value }: Answer): void {
      const body = value === undefined ? '' : `${JSON.stringify(value)}\n`;
      const type = value === undefined ? '' : 'Content-Type: application/json\r\n';
      const length = status === 204 ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
      write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${type}${length}`, body);
    }

    function write(head: string, body: string): void {
      if (closing || isLast) {
        // From here on nothing is read.
        answering = true;
        socket.write(`${head}Connection: close\r\n\r\n${body}`);
        socket.destroySoon();
        return;
      }
      answering = false;
      if (socket.write(`${head}\r\n${body}`)) return;
      // Disconnects a client that does not even read short answers.
      if (body.length < LONG_ANSWER || draining === MOST_DRAINING) destroy();
      else drain();
    }

    /** A long answer is more than the kernel buffers. */
    function drain(): void {
      answering = true;
      draining++;
      // A client that has closed its side can still read the answer; a stopping sidecar does not wait for that.
      leave = () => {
        if (closing) destroy();
      };
      const done = () => {
        draining--;
        leave = () => {};
        socket.off('drain', done).off('close', done);
        answering = false;
        if (isLast) socket.destroySoon();
      };
      socket.once('drain', done).once('close', done);
    }

    function end(): void {
      // Does not wait for the client to close its side.
      if (answering) leave();
      else socket.destroySoon();
    }

    function finish(): void {
      isLast = true;
      end();
    }

    function destroy(): void {
      socket.destroy();
    }

    function forgetIncoming(): void {
      clearTimeout(late);
      incoming?.forget();
      incoming = undefined;
    }

    function forget(): void {
      leave();
      forgetIncoming();
      open.delete(end);
    }
  }
}

function isPost({ method, path, query }: Arrived['head']): boolean {
  return method === 'POST' && path === '/v1/lines' && query === '';
}
