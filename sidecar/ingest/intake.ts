import { createServer } from 'node:net';
import { reasonOf } from '../../service/log.ts';
import type { Metrics } from '../../service/metrics.ts';
import { createTimeSlices } from '../../service/time-slices.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { listenOnSocket, type SocketOptions } from '../socket/unix-socket.ts';
import { type Answer, createConnections, type PostStatus } from './connections.ts';
import { createInHand } from './in-hand.ts';
import type { Head } from './request-head.ts';
import { type TakeIn, TooManyBadLines } from './take-in.ts';

export type IntakeOptions = Omit<SocketOptions, 'setting'> & {
  takeIn: TakeIn;
  maxRequestBytes: number;
  maxConnections: number;
  /** Time limit for a request to arrive; 5 s by default. */
  longestRequestMs?: number;
  /** How long requests may be processed before the rest of the process gets its turn; 20 ms by default. */
  longestSliceMs?: number;
  /** Other routes for nginx on this socket, by path. */
  routes?: Record<string, IntakeRoute>;
  metrics: Metrics<typeof SIDECAR_METRICS>;
};

/** `gone` is aborted when the client disconnects. */
export type IntakeRoute = (request: Question) => Promise<Answer>;
export type Question = { method: string; query: URLSearchParams; gone: AbortSignal };

export type Intake = {
  /** Why nginx cannot reach it at its path; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
};

/** nginx itself times out within a second. */
const LONGEST_REQUEST_MS = 5_000;
/** Limit for all requests in flight, as a multiple of the largest request. Processing them takes a few times as much memory. */
const LARGEST_IN_HAND = 2;

/**
 * `POST /v1/lines` on a unix socket. 204: every line is on disk. 400: none of them is an event, do not retry. 413 and 503: nothing was
 * stored, nginx spills the lines. Answers have no body; otherwise nginx would not reuse the connection.
 *
 * Any process of the workers' user can send anything here. So there are limits on the bytes of a request and of all requests in flight, on
 * the time in which one must arrive, on invalid lines, and on connections.
 */
export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const {
    takeIn,
    maxRequestBytes,
    metrics,
    warn,
    routes = {},
    longestRequestMs = LONGEST_REQUEST_MS,
  } = options;
  const refused = {
    400: refusals('malformed'),
    411: refusals('malformed'),
    413: refusals('too_large'),
    417: refusals('malformed'),
    431: refusals('malformed'),
    503: refusals('busy'),
    slow: refusals('slow'),
    bad: refusals('bad'),
    badLines: refusals('bad_lines'),
    notFound: refusals('not_found'),
    unavailable: refusals('unavailable'),
  };
  const inHand = createInHand(LARGEST_IN_HAND * maxRequestBytes);
  const connections = createConnections({
    post,
    ask,
    onRefused: (status) => refused[status].add(),
    inHand,
    inSlices: createTimeSlices(options.longestSliceMs),
    maxRequestBytes,
    longestRequestMs,
  });
  const server = createServer({ allowHalfOpen: true }, connections.serve);
  server.maxConnections = options.maxConnections;
  const listening = await listenOnSocket(server, { ...options, setting: 'intake.socket' });
  return { failure: listening.failure, close };

  /** Handles a request for lines, whose bytes count as in flight until then; rejected requests are counted. */
  async function post(lines: Buffer): Promise<PostStatus> {
    try {
      const taken = await takeIn(lines, 'intake');
      if (taken.bad === 0 || taken.bad < taken.lines) return 204;
      refused.bad.add();
      return 400;
    } catch (error) {
      if (error instanceof TooManyBadLines) {
        refused.badLines.add();
        return 413;
      }
      warn('intake', 'cannot write to the spool, nginx spills', { reason: reasonOf(error) });
      refused.unavailable.add();
      return 503;
    } finally {
      inHand.letGo(lines.length);
    }
  }

  async function ask({ method, path, query }: Head, gone: AbortSignal): Promise<Answer> {
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route !== undefined) return route({ method, query: new URLSearchParams(query), gone });
    refused.notFound.add();
    return { status: 404 };
  }

  /** Complete requests are answered; nginx then finds no listener and spills. */
  function close(): Promise<void> {
    connections.close();
    listening.close();
    return new Promise((resolve) => {
      server.close(() => resolve());
    });
  }

  function refusals(reason: string) {
    return metrics.of('intake_rejected_total', { reason });
  }
}
