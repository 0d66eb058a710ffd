import { expect, test } from '@jest/globals';
import { hotText } from '../../../../cli/hot/hot-text.ts';
import type { WholeHotList } from '../../../../heat/hot-list.ts';

const NOW = Date.UTC(2026, 10, 27, 8, 0, 45);
const LIST: WholeHotList = {
  version: 3,
  node: 'web-1',
  now: NOW,
  hot: [],
  held: [],
  overrides: [],
  rules: { file: undefined, since: undefined, problems: [] },
};

test('the hot list says that nothing is hot', () => {
  expect(hotText(LIST)).toBe('no item is hot on web-1\n');
});

test('the hot list shows items with reasons, what the cap holds back, pins and problems, in safe characters', () => {
  const text = hotText({
    ...LIST,
    frozen: { since: NOW - 5_000, by: 'alice', reason: 'to be sure' },
    hot: [
      {
        item: '4711\u001b[2J',
        signal: 'busy',
        actions: ['cache'],
        since: NOW - 45_000,
        reason: '412 views/s over 10 s',
        rule: 'default',
        dryRun: false,
        version: 1,
      },
    ],
    held: [{ item: '0815', signal: 'busy', strength: 21, reason: '21 views/s over 10 s' }],
    overrides: [{ kind: 'ban', item: '1', until: NOW, reason: 'a test page', by: 'file' }],
    rules: { file: '/etc/rules.yml', since: 1, problems: ['cap: wrong'] },
  });
  expect(text).not.toContain('\u001b');
  expect(text.split('\n')).toEqual([
    'frozen since 2026-11-27T08:00:40Z by alice: to be sure',
    'nginx sees no hot item until: hotitem hot thaw',
    '/etc/rules.yml is invalid, the previous rules stay in effect:',
    '  cap: wrong',
    'hot on web-1',
    '  4711\\x1b[2J           busy        for 45 s  412 views/s over 10 s',
    '                                    cache (rule default)',
    'held back by the cap',
    '  0815                  busy        21 views/s over 10 s',
    'pins and bans',
    '  1                     ban until 2026-11-27T08:00:45Z by file: a test page',
    '',
  ]);
});
