import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { readBody } from '../../service/read-body.ts';
import { IndexUnavailable } from '../../store/event-index.ts';
import {
  type AnswerOf,
  type AskableQuestions,
  isQuestionName,
  QUESTIONS,
  type QueryOf,
  type QuestionName,
} from '../../store/question-shapes.ts';
import { type SocketRoute, sendJson } from '../socket/socket-route.ts';

const MOST_BYTES = 64 * 1024;

const asked = z.object({ question: z.custom<QuestionName>(isQuestionName), query: z.unknown() });

type Ask = {
  [Name in QuestionName]: (
    index: AskableQuestions,
    query: QueryOf<Name>,
    signal: AbortSignal,
  ) => Promise<AnswerOf<Name>>;
};

const ASK: Ask = {
  totals: (index, query, signal) => index.totals(query, signal),
  topItems: (index, query, signal) => index.topItems(query, signal),
  topCategories: (index, query, signal) => index.topCategories(query, signal),
  timeLine: (index, query, signal) => index.timeLine(query, signal),
  pastDecisions: (index, query, signal) => index.pastDecisions(query, signal),
};

/**
 * `POST /v1/index/ask`: a question of `QUESTIONS` and its query as JSON, answered with its answer. For `hotitem report`, because DuckDB
 * allows only one process per file. A question whose asker is gone is cancelled. 400: it is none; 503: the index is unavailable.
 */
export function createQuestionSocket(index: AskableQuestions): SocketRoute {
  return (request, response) => {
    if (request.method !== 'POST') {
      request.resume();
      sendJson(response, 405, { error: 'only POST' });
      return;
    }
    void readBody(request, MOST_BYTES).then(
      (text) => respond(text, response),
      () => response.destroy(),
    );
  };

  async function respond(text: string | undefined, response: ServerResponse): Promise<void> {
    if (text === undefined) return sendJson(response, 413, { error: `more than ${MOST_BYTES} bytes` });
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('nobody waits for the answer')));
    try {
      const { question, query } = asked.parse(JSON.parse(text));
      sendJson(response, 200, await answerTo(question, query, gone.signal));
    } catch (error) {
      if (gone.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      sendJson(response, error instanceof IndexUnavailable ? 503 : 400, { error: message });
    }
  }

  function answerTo<Name extends QuestionName>(
    question: Name,
    query: unknown,
    signal: AbortSignal,
  ): Promise<AnswerOf<Name>> {
    return ASK[question](index, QUESTIONS[question].query.parse(query), signal);
  }
}
