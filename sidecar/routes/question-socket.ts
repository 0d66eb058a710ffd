import * as z from 'zod';
import {
  type AnswerOf,
  type AskableQuestions,
  isQuestionName,
  QUESTIONS,
  type QueryOf,
  type QuestionName,
} from '../../store/question-shapes.ts';
import type { SocketRoute } from '../socket/socket-route.ts';
import { createBodyRoute, TooMuch } from './body-route.ts';

const MOST_BYTES = 64 * 1024;

const asked = z.object({ question: z.custom<QuestionName>(isQuestionName), query: z.unknown() });

type Ask = {
  [Name in QuestionName]: (query: QueryOf<Name>, signal: AbortSignal) => Promise<AnswerOf<Name>>;
};

/**
 * `POST /v1/index/ask`: a question of `QUESTIONS` and its query as JSON, answered with its answer. For `hotitem report`, because DuckDB
 * allows only one process per file. A question whose asker is gone is cancelled. 400: it is none; 503: the index is unavailable.
 */
export function createQuestionSocket(index: AskableQuestions): SocketRoute {
  const ask: Ask = index;
  return createBodyRoute(MOST_BYTES, async (text, gone) => {
    if (text === undefined) throw new TooMuch(`more than ${MOST_BYTES} bytes`);
    const { question, query } = asked.parse(JSON.parse(text));
    return answerTo(question, query, gone);
  });

  function answerTo<Name extends QuestionName>(
    question: Name,
    query: unknown,
    signal: AbortSignal,
  ): Promise<AnswerOf<Name>> {
    return ask[question](QUESTIONS[question].query.parse(query), signal);
  }
}
