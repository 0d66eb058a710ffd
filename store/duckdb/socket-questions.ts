import {
  type AnswerOf,
  type AskableQuestions,
  QUESTIONS,
  type QueryOf,
  type QuestionName,
} from '../question-shapes.ts';
import { askSocket, understood } from './socket-lookup.ts';

/** A question about months of views takes a while, and waits for others. */
const TIMEOUT_MS = 120_000;

/** The questions of the embedded index of a process that runs, asked on its socket (sidecar/routes/question-socket.ts). */
export function createSocketQuestions(socket: string): AskableQuestions {
  return {
    totals: (query, signal) => ask('totals', query, signal),
    topItems: (query, signal) => ask('topItems', query, signal),
    topCategories: (query, signal) => ask('topCategories', query, signal),
    timeLine: (query, signal) => ask('timeLine', query, signal),
    pastDecisions: (query, signal) => ask('pastDecisions', query, signal),
  };

  /** When `signal` fires, the connection is closed: then the other process gives the query up. */
  async function ask<Name extends QuestionName>(
    question: Name,
    query: QueryOf<Name>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<Name>> {
    const text = await askSocket(socket, 'ask', JSON.stringify({ question, query }), {
      timeoutMs: TIMEOUT_MS,
      ...(signal !== undefined && { signal }),
    });
    return understood(QUESTIONS[question].answer, text);
  }
}
