import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HotItemEvent } from '../../event/event.ts';
import { EventError } from '../../event/parse.ts';
import { parseStrict } from '../../event/parse-strict.ts';
import { readBody } from '../../service/read-body.ts';
import type { DuckdbIndex } from '../../store/duckdb/duckdb.ts';
import { IndexUnavailable, type Outcome } from '../../store/event-index.ts';
import type { AskableQuestions } from '../../store/question-shapes.ts';
import { type SocketRoute, sendJson } from '../socket/socket-route.ts';
import { createQuestionSocket } from './question-socket.ts';

/** Enough for 1,000 events of the largest size. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_LINES = 1000;
const NOTHING_SAID: Outcome = { status: 'retry', reason: 'the index has no answer for it' };

type Rejected = Extract<Outcome, { status: 'rejected' }>;

/**
 * DuckDB allows only one process per file, so `hotitem replay`, `verify`, `dead-letters` and `report` ask the process that has it open, on its
 * control socket. `POST /v1/index/count` takes one id per line and answers with how often each is in the index. `POST /v1/index/create`
 * takes one event per line and answers with the outcome of each; `/v1/index/ask`: question-socket.ts. 503: the index is unavailable.
 */
export function createIndexRoutes(
  index: Pick<DuckdbIndex, 'count' | 'create' | keyof AskableQuestions>,
): Record<string, SocketRoute> {
  return {
    '/v1/index/ask': createQuestionSocket(index),
    '/v1/index/count': route((ids) => index.count(ids)),
    '/v1/index/create': route((lines) => create(index, lines)),
  };
}

function route(answer: (lines: string[]) => Promise<unknown[]>): SocketRoute {
  return (request, response) => {
    if (request.method !== 'POST') {
      request.resume();
      sendJson(response, 405, { error: 'only POST' });
      return;
    }
    void respond(request, response);
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const lines = await linesOf(request);
      if (lines === undefined) return sendJson(response, 413, { error: `more than ${MOST_LINES} lines` });
      // Identifies the index without asking it, because it may be unavailable.
      sendJson(response, 200, lines.length === 0 ? [] : await answer(lines));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      sendJson(response, error instanceof IndexUnavailable ? 503 : 400, { error: message });
    }
  }
}

/** A line that is not a valid event of a sidecar is rejected; the others are not affected. */
async function create(index: Pick<DuckdbIndex, 'create'>, lines: string[]): Promise<Outcome[]> {
  const read = lines.map(toEvent);
  const outcomes = await index.create(read.filter((one) => 'id' in one));
  let created = 0;
  return read.map((one) => ('id' in one ? (outcomes[created++] ?? NOTHING_SAID) : one));
}

function toEvent(line: string): HotItemEvent | Rejected {
  try {
    return parseStrict(line);
  } catch (error) {
    return {
      status: 'rejected',
      reason: error instanceof EventError ? error.message : 'event: cannot be read',
    };
  }
}

/** Undefined if there are more than a request may have. */
async function linesOf(request: IncomingMessage): Promise<string[] | undefined> {
  const lines = (await readBody(request, MOST_BYTES))?.split('\n').filter((line) => line !== '');
  return lines === undefined || lines.length > MOST_LINES ? undefined : lines;
}
