import { rmSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';

import { ARRIVED } from '../../sidecar/ingest/connections.ts';

type Answer = 204 | 400 | 413 | 429 | 500 | 503 | 'hang';

export type StandIn = {
  /** What the next requests are answered with; `hang` reads them and says nothing. */
  answer: Answer;
  /** Each body that was answered with 204, one character a byte. */
  kept: string[];
  /** Each body that arrived, whatever the answer. */
  arrived: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[];
  /** How many connections were ever made. */
  connections(): number;
  /** What nginx reported with each poll for the capture mode, oldest first. */
  reports: URLSearchParams[];
  start(): Promise<void>;
  /** Ends at once, also what hangs, and leaves no socket behind. */
  stop(): Promise<void>;
};

/**
 * The sidecar's side of the contract and no more: it takes lines, and fails as it is told. The poll of http-batch.conf gets
 * its 204, or hangs. Not started yet.
 */
export function createStandIn(socket: string): StandIn {
  const open = new Set<Socket>();
  let server: Server | undefined;
  let connections = 0;
  const standIn: StandIn = {
    answer: 204,
    kept: [],
    arrived: [],
    connections: () => connections,
    reports: [],
    start,
    stop,
  };
  return standIn;

  function start(): Promise<void> {
    server = createServer({ keepAliveTimeout: 75_000 }, take);
    server.on('connection', (connection) => {
      connections += 1;
      open.add(connection);
      connection.once('close', () => open.delete(connection));
    });
    return new Promise((resolve, reject) => {
      server?.once('error', reject).listen(socket, resolve);
    });
  }

  function stop(): Promise<void> {
    for (const connection of open) connection.destroy();
    rmSync(socket, { force: true });
    return new Promise((resolve) => (server?.listening ? server.close(() => resolve()) : resolve()));
  }

  function take(request: IncomingMessage, response: ServerResponse): void {
    request.setEncoding('latin1');
    let body = '';
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '' } = request;
      if (url.startsWith('/v1/control')) {
        standIn.reports.push(new URLSearchParams(url.split('?')[1]));
        if (standIn.answer !== 'hang') response.writeHead(204).end();
        return;
      }
      standIn.arrived.push({ method, url, headers: request.headers, body });
      if (method !== 'POST') {
        response.writeHead(405).end();
        return;
      }
      if (standIn.answer === 'hang') return;
      if (standIn.answer === 204) standIn.kept.push(body);
      const text = standIn.answer === 400 ? 'no line' : '';
      const arrived = standIn.answer === 204 || standIn.answer === 400 ? { location: ARRIVED } : {};
      const headers = standIn.answer === 204 ? arrived : { ...arrived, 'content-length': text.length };
      response.writeHead(standIn.answer, headers).end(text);
    });
  }
}
