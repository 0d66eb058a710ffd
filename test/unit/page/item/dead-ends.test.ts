import { expect, test } from '@jest/globals';
import type { LiveEnds } from '../../../../heat/live.ts';
import { endsOf } from '../../../../page/item/dead-ends.ts';
import { timeOfDay } from '../../../../page/words.ts';

const SINCE = Date.UTC(2026, 10, 27, 12);
const NOW = SINCE + 60_000;

test.each<[Partial<LiveEnds>, string]>([
  [{ ok: 3_400 }, 'None of 3,400 requests ended badly'],
  [
    { ok: 3_388, error: 9, notFound: 2, left: 1 },
    '12 of 3,400 requests ended badly: 9 with an error (5xx), 2 not found (404), 1 left before the end of the answer',
  ],
  [{ rejected: 1_200 }, '1,200 of 1,200 requests ended badly: 1,200 rejected (429)'],
])('tells of the dead ends of a hot item: %j', (counts, text) => {
  const ends = { ok: 0, notFound: 0, rejected: 0, error: 0, left: 0, since: SINCE, ...counts };
  expect(endsOf(ends, NOW)).toBe(`${text}. Counted since ${timeOfDay(SINCE, NOW)}.`);
});

test('says what is not known, instead of none', () => {
  expect(endsOf(undefined, NOW)).toMatch(/^Not known: .* log-shared\.conf\.$/);
});
