import { expect, test } from '@jest/globals';
import type { LiveHead, LiveItem, LiveLimit } from '../../../../heat/live.ts';
import { doesOf } from '../../../../page/hot/does-text.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const HEAD: LiveHead = {
  node: 'web-1',
  build: '1',
  now: NOW,
  five: 0,
  shop: { all: 0, people: 0 },
  cap: 20,
  held: 0,
  rulesProblems: 0,
};
type Does = Pick<LiveItem, 'decisions' | 'problem' | 'page' | 'limit'>;
const BUSY: Does = {
  decisions: [
    { signal: 'busy', since: NOW, reason: '', rule: 'a', actions: ['cache', 'limit'], dryRun: false },
  ],
};
const TOLD = 'nginx was told: cache it, limit each visitor';

test.each<[Partial<LiveLimit>, string]>([
  [{ passed: 3_400 }, 'Limited none of 3,400 requests'],
  [{ passed: 3_388, limited: 12 }, 'Limited 12 of 3,400 requests'],
  [{ passed: 3_388, wouldLimit: 12 }, 'Would have limited 12 of 3,400 requests (dry run)'],
  [
    { passed: 3_380, limited: 8, wouldLimit: 12 },
    'Limited 8, would have limited 12 of 3,400 requests (dry run)',
  ],
])('says what the limit did: %j', (counts, text) => {
  const limit = { passed: 0, limited: 0, wouldLimit: 0, ...counts };
  expect(doesOf({ ...BUSY, limit }, HEAD)).toEqual([text, TOLD]);
});

test.each<[string, Partial<Does>, Partial<LiveHead>, string[]]>([
  ['nothing of a limit that nginx does not log', {}, {}, [TOLD]],
  [
    'that its page is cached',
    { page: { state: 'kept', refreshedAt: NOW - 800 } },
    {},
    ['Cached, refreshed 0.8 s ago', TOLD],
  ],
  [
    'why it is not',
    { page: { state: 'refused', reason: 'sets PHPSESSID' } },
    {},
    ['Not cached: sets PHPSESSID', TOLD],
  ],
  [
    'that the list is frozen, and no more',
    { limit: { passed: 1, limited: 0, wouldLimit: 0 } },
    { frozen: { since: NOW } },
    ['Nothing: the hot list is frozen'],
  ],
])('says %s', (_, does, head, lines) => {
  expect(doesOf({ ...BUSY, ...does }, { ...HEAD, ...head })).toEqual(lines);
});
