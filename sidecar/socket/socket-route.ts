import type { IncomingMessage, ServerResponse } from 'node:http';

/** Writes any answer, and leaves the connection open. */
export type SocketRoute = (request: IncomingMessage, response: ServerResponse) => void;

export function sendJson(response: ServerResponse, status: number, value?: unknown): void {
  const body = value === undefined ? '' : `${JSON.stringify(value)}\n`;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, status === 204 ? {} : headers);
  response.end(body);
}
