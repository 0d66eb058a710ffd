import { expect, test } from '@jest/globals';
import type { Reply } from '../../../../service/admin/admin.ts';
import { createQuestionRoute } from '../../../../sidecar/routes/question-route.ts';
import { createQuestions } from '../../../../sidecar/routes/questions.ts';
import { type EventIndex, IndexUnavailable, type Refusal } from '../../../../store/event-index.ts';

test.each<[string, Refusal, unknown[]]>([
  [
    'refuses until a person acts says why to the log',
    'refused',
    [
      [
        'question',
        'the page has no numbers from the index until that is fixed',
        { reason: 'hot_item.bot is unmapped' },
      ],
    ],
  ],
  ['is away says nothing to the log, where others say so', 'away', []],
])('an index that %s, and not to the client', async (_, why, expected) => {
  const warnings: unknown[] = [];
  const answer = () => Promise.reject<object>(new IndexUnavailable('hot_item.bot is unmapped', { why }));
  const options = {
    index: {} as EventIndex,
    questions: createQuestions<Reply>({ waiting: 8, askers: 100, sharedMs: 60_000, longestMs: 60_000 }),
    now: () => 0,
    warn: (...warning: unknown[]) => warnings.push(warning),
  };
  const route = createQuestionRoute(options, () => ({ key: 'a', cost: 1, answer }));

  const reply = await route(new URL('http://127.0.0.1/api/v1/items'), new AbortController().signal, '');

  expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  expect(JSON.stringify(reply)).not.toContain('hot_item');
  expect(warnings).toEqual(expected);
});
