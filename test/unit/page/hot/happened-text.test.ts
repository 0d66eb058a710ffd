import { expect, test } from '@jest/globals';
import type { Happened } from '../../../../heat/live.ts';
import { happenedText } from '../../../../page/hot/happened-text.ts';

const AT = Date.UTC(2026, 10, 27, 12);
const ONE: Happened = {
  at: AT,
  item: '4711',
  name: 'A shoe',
  signal: 'busy',
  change: 'enters',
  since: AT,
  reason: '40 views/s over 10 s',
};

test.each<[Partial<Happened>, string]>([
  [{}, 'A shoe turned hot (busy). 40 views/s over 10 s'],
  [{ change: 'changes', since: AT - 9_000 }, 'A shoe stays hot, by other rules (busy). 40 views/s over 10 s'],
  // Why it had turned hot is no reason for the end.
  [{ change: 'leaves', since: AT - 59_000 }, 'A shoe is no longer hot (busy), after 59 s.'],
  [{ signal: 'pin' }, 'A shoe turned hot (pinned). 40 views/s over 10 s'],
  // A warning does not make hot, and its end does not make cool.
  [{ signal: 'concentrated' }, 'A shoe: few visitors. 40 views/s over 10 s'],
  [
    { signal: 'concentrated', change: 'leaves', since: AT - 40_000 },
    'A shoe: no longer few visitors, after 40 s.',
  ],
])('what happened is told: %j', (change, text) => {
  expect(happenedText({ ...ONE, ...change })).toBe(text);
});

test('an item that is in no catalogue is told by its id', () => {
  const { name: _, ...unnamed } = ONE;
  expect(happenedText(unnamed)).toMatch(/^4711 turned hot/);
});
