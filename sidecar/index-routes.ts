import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from '../event/parse.ts';
import type { DuckdbIndex } from '../store/duckdb.ts';
import { IndexUnavailable } from '../store/event-index.ts';
import type { IntakeRoute } from './intake.ts';

/** Of 1,000 events of the largest size there is, and of a request. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_LINES = 1000;

/**
 * DuckDB gives its file to one process, so `hotitem replay`, `verify` and `dead-letters` ask the one that has it, on its
 * socket: `POST /v1/index/count` with an id a line answers with how often each is there, `POST /v1/index/create` with an
 * event a line with what became of each. 503: the index is away.
 */
export function createIndexRoutes(index: Pick<DuckdbIndex, 'count' | 'create'>): Record<string, IntakeRoute> {
  return {
    '/v1/index/count': route((ids) => index.count(ids)),
    '/v1/index/create': route((lines) => index.create(lines.map(parse))),
  };
}

function route(answer: (lines: string[]) => Promise<unknown[]>): IntakeRoute {
  return (request, response) => {
    if (request.method !== 'POST') {
      request.resume();
      send(response, 405, { error: 'only POST' });
      return;
    }
    void respond(request, response);
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const lines = await linesOf(request);
      if (lines === undefined) return send(response, 413, { error: `more than ${MOST_LINES} lines` });
      // Nothing is asked by one who wants to know whose the index is, which may be unavailable at the moment.
      send(response, 200, lines.length === 0 ? [] : await answer(lines));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      send(response, error instanceof IndexUnavailable ? 503 : 400, { error: message });
    }
  }
}

/** Undefined where there are more than a request may have. */
async function linesOf(request: IncomingMessage): Promise<string[] | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= MOST_BYTES) chunks.push(chunk);
  }
  const lines = Buffer.concat(chunks)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return length > MOST_BYTES || lines.length > MOST_LINES ? undefined : lines;
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
