import type { HotItemEvent } from '../../event/event.ts';
import { EventError } from '../../event/parse.ts';
import { parseStrict } from '../../event/parse-strict.ts';
import type { DuckdbIndex } from '../../store/duckdb/duckdb.ts';
import type { Outcome } from '../../store/event-index.ts';
import type { AskableQuestions } from '../../store/question-shapes.ts';
import type { SocketRoute } from '../socket/socket-route.ts';
import { createBodyRoute, TooMuch } from './body-route.ts';
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
  return createBodyRoute(MOST_BYTES, async (text) => {
    const lines = text?.split('\n').filter((line) => line !== '');
    if (lines === undefined || lines.length > MOST_LINES) throw new TooMuch(`more than ${MOST_LINES} lines`);
    // Identifies the index without asking it, because it may be unavailable.
    return lines.length === 0 ? [] : answer(lines);
  });
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
