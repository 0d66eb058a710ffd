import { expect, test } from '@jest/globals';
import { topLines } from '../../../../cli/top/top-lines.ts';
import type { LiveItem, LiveSnapshot } from '../../../../heat/live.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const HEAD: LiveSnapshot['head'] = {
  node: 'web-1',
  build: 'x',
  now: NOW,
  five: 0,
  shop: { all: 9, people: 8 },
  cap: 100,
  held: 0,
  rulesProblems: 0,
};
const ITEM: LiveItem = {
  item: '4713',
  ten: { all: 30, people: 20, visitors: 20 },
  minute: { all: 30, people: 20 },
  decisions: [
    { signal: 'surge', since: NOW, reason: 'because', rule: 'default', actions: ['cache'], dryRun: false },
  ],
  series: { all: [], people: [] },
};
const TOWEL = { name: 'Bath towel' };

test.each<[string, LiveSnapshot, string]>([
  ['a hot item', { head: HEAD, items: [{ ...ITEM, catalogue: TOWEL }], happened: [] }, '4713 Bath towel '],
  ['one that no catalogue has', { head: HEAD, items: [ITEM], happened: [] }, '4713   '],
  [
    'the busiest item',
    {
      head: { ...HEAD, busiest: { item: '4713', people: 1, visitors: 1, catalogue: TOWEL } },
      items: [],
      happened: [],
    },
    'the busiest is 4713 Bath towel: ',
  ],
])('%s is shown with its id, which commands need, and its name', (_, state, text) => {
  const lines = topLines({ state, columns: 80, rows: 24 });
  expect(lines.map((line) => line.map((piece) => piece.text).join('')).join('\n')).toContain(text);
});
