import * as z from 'zod';
import { CHANGES } from '../event/decision-fields.ts';
import { type EventQuestions, RANKINGS } from './event-questions.ts';

/*
 * The questions that one process may ask of the index of another, and the shapes of what goes over the socket between them.
 */

/** What may be asked from elsewhere. */
export type AskableQuestions = Pick<
  EventQuestions,
  'totals' | 'topItems' | 'topCategories' | 'timeLine' | 'pastDecisions'
>;
export type QuestionName = keyof AskableQuestions;
export type QueryOf<Name extends QuestionName> = Parameters<AskableQuestions[Name]>[0];
export type AnswerOf<Name extends QuestionName> = Awaited<ReturnType<AskableQuestions[Name]>>;

const MOST_INTERVALS = 100_000;
const MOST_LISTED = 10_000;

const number = z.number();
const range = { from: z.number().int(), to: z.number().int() };
const ranked = {
  ...range,
  limit: z.number().int().positive().max(MOST_LISTED),
  rank: z.enum(RANKINGS).exactOptional(),
};
const counted = {
  views: number,
  bots: number,
  prefetches: number,
  others: number,
  all: number,
  visitors: number,
  estimated: z.literal(true).exactOptional(),
};

const decision = z.object({
  time: number,
  node: z.string(),
  item: z.string(),
  change: z.enum(CHANGES),
  signal: z.string(),
  reason: z.string(),
  since: number,
  rule: z.string(),
  actions: z.array(z.string()),
  dry_run: z.boolean().exactOptional(),
  views_per_second: number.exactOptional(),
  visitors: number.exactOptional(),
});

export const QUESTIONS: {
  readonly [Name in QuestionName]: { query: z.ZodType<QueryOf<Name>>; answer: z.ZodType<AnswerOf<Name>> };
} = {
  totals: {
    query: z.object(range),
    answer: z.object({
      ...counted,
      items: number,
      first: number.exactOptional(),
      last: number.exactOptional(),
    }),
  },
  topItems: {
    query: z.object({ ...ranked, category: z.string().optional(), search: z.string().optional() }),
    answer: z.array(z.object({ ...counted, item: z.string(), last: number })),
  },
  topCategories: {
    query: z.object(ranked),
    answer: z.array(z.object({ ...counted, category: z.string(), last: number })),
  },
  timeLine: {
    query: z
      .object({ ...range, item: z.string().exactOptional(), stepMs: z.number().int().positive() })
      .refine(({ from, to, stepMs }) => (to - from) / stepMs <= MOST_INTERVALS, 'too many intervals'),
    answer: z.object({ people: z.array(number), all: z.array(number) }),
  },
  pastDecisions: {
    query: z.object({ ...range, limit: ranked.limit }),
    answer: z.object({ decisions: z.array(decision), oldest: number.exactOptional() }),
  },
};

export function isQuestionName(name: unknown): name is QuestionName {
  return typeof name === 'string' && Object.hasOwn(QUESTIONS, name);
}
