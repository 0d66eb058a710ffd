import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { TimeSlices } from '../../service/time-slices.ts';
import type { InHand } from './in-hand.ts';
import { type Arrived, createIncoming, type Incoming, type Refused } from './incoming.ts';

/** What a request for lines comes to. */
export type PostStatus = 204 | 400 | 413 | 503;

/** `value` is told as JSON. */
export type Answer = { status: number; value?: unknown };

export type ConnectionsOptions = {
  /** Deals with the body of a request for lines, and lets it go. Never rejects. */
  post: (body: Buffer) => Promise<PostStatus>;
  /** Deals with any other request. */
  ask: (request: Arrived['head'], gone: AbortSignal) => Promise<Answer>;
  /** Counts a request that neither of them sees; `slow`: it did not arrive in time. */
  onRefused: (status: Refused | 'slow') => void;
  inHand: InHand;
  /** For what many connections may ask for at once. */
  inSlices: TimeSlices;
  maxRequestBytes: number;
  longestRequestMs: number;
};

export type Connections = {
  serve(socket: Socket): void;
  /** Ends the connections: those that wait for an answer with it, the others at once. */
  close(): void;
};

/** Longer than nginx keeps a connection idle (30 s), or a view would meet one that is just being closed. */
const IDLE_MS = 75_000;
/** A request as server.conf makes nginx send it, and nothing else: no header more, no other spelling. */
const HEAD = /^POST \/v1\/lines HTTP\/1\.1\r\nHost: [\w.-]{1,100}\r\nContent-Length: (\d{1,6})\r\n\r\n/;
const LONGEST_HEAD = 200;
const LONG_ANSWER = 4 * 1024;
/** Clients at once that take their time to read one; each holds its answer in memory. */
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
 * - What arrives whole and begins as `HEAD` says, as nearly all does, has the fast path: its body is a part of what was read.
 * - Anything else is an `Incoming`, and has `longestRequestMs` to arrive.
 *
 * Without Node's http: that takes two thirds of the time in which a view is dealt with, and its parser reads all requests that a
 * client has sent before anything else in the process has its turn. A client that sends more before it has its answer, which
 * nginx does not, gets that answer and loses the connection; so does one that does not read its answers.
 *
 * A thousand connections may all ask at once, be too slow at once, and wait for the same change: what that takes is done in slices.
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
    /** Ends what is waited for, for the answer. */
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
      // Short ones are not read by this client.
      if (body.length < LONG_ANSWER || draining === MOST_DRAINING) destroy();
      else drain();
    }

    /** A long answer is more than the kernel takes at once. */
    function drain(): void {
      answering = true;
      draining++;
      // Whoever has said all can still read; a sidecar that stops does not wait for it.
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
      // Whether the client ends its side as well is not waited for.
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
