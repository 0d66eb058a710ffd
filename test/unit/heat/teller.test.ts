import { expect, test } from '@jest/globals';
import type { Change, Decision } from '../../../detect/decisions.ts';
import type { HotDecision } from '../../../event/decision-fields.ts';
import { parseDecision } from '../../../event/parse-decision.ts';
import type { Override } from '../../../heat/overrides.ts';
import { createTeller, type HeldChange } from '../../../heat/teller.ts';

const DAY_MS = 86_400_000;
const BUSY: Decision = {
  item: 'a',
  signal: 'busy',
  actions: ['announce', 'cache'],
  since: 1_000,
  reason: '412 views/s over 10 s',
  numbers: { windowSeconds: 10, viewsPerSecond: 412, visitors: 7, beforePerSecond: 9, estimated: true },
  rule: 'default',
  dryRun: false,
  version: 3,
};
const PIN: Decision = { ...BUSY, signal: 'pin', actions: ['limit'], reason: 'TV spot', version: 4 };

test('a decision has the state of the item after it: all signals, all actions', () => {
  const { tell, told } = create({ hot: [BUSY, PIN] });
  tell({ ...PIN, change: 'enters' });
  expect(told).toEqual([
    expect.objectContaining({
      state: 'hot',
      signals: ['busy', 'pin'],
      actions: ['announce', 'cache', 'limit'],
      signal: 'pin',
      reason: 'TV spot',
    }),
  ]);
});

test('an item stays hot while one signal remains, and is cold without any', () => {
  const { tell, told, be } = create({ hot: [PIN] });
  tell({ ...BUSY, change: 'leaves' });
  be([]);
  tell({ ...PIN, change: 'leaves' });
  expect(told.map(({ state, signals }) => [state, signals])).toEqual([
    ['hot', ['pin']],
    ['cold', []],
  ]);
});

test('an item that the cap holds back is cold, and has the reason and its numbers', () => {
  const { tell, told } = create({ hot: [], held: 1 });
  tell({ ...BUSY, change: 'held' }, 'rule default');
  expect(told).toEqual([
    expect.objectContaining({
      change: 'held',
      state: 'cold',
      signals: [],
      actions: [],
      reason: '412 views/s over 10 s',
      views_per_second: 412,
      held: 1,
    }),
  ]);
});

test('the numbers of a reason are separate fields', () => {
  const { tell, told } = create({ hot: [BUSY] });
  tell({ ...BUSY, change: 'enters' });
  expect(told[0]).toMatchObject({
    window_seconds: 10,
    views_per_second: 412,
    visitors: 7,
    before_per_second: 9,
    estimated: true,
  });
  expect(told[0]).not.toHaveProperty('dry_run');
});

test('it has the user and reason of a ban, and the number of items that the cap holds back', () => {
  const override: Override = { kind: 'ban', item: 'a', reason: 'a test page', by: 'maria' };
  const { tell, told } = create({ hot: [], override, held: 2 });
  tell({ ...BUSY, change: 'leaves' }, 'maria');
  expect(told[0]).toMatchObject({
    state: 'cold',
    decided_by: 'maria',
    override: 'ban',
    override_by: 'maria',
    override_reason: 'a test page',
    held: 2,
  });
});

test('after a restart, items that are no longer hot have left; hot items stay', () => {
  const { begin, told } = create({ hot: [BUSY] });
  begin([BUSY, { ...PIN, item: 'b' }]);
  expect(told.map(({ item, change, state, decided_by }) => [item, change, state, decided_by])).toEqual([
    ['b', 'leaves', 'cold', 'restart'],
    ['a', 'stays', 'hot', 'rule default'],
  ]);
});

test('a repeated pin has the user who set it', () => {
  const override: Override = { kind: 'pin', item: 'a', reason: 'TV spot', by: 'maria' };
  const { begin, told } = create({ hot: [PIN], override });
  begin([PIN]);
  expect(told).toEqual([expect.objectContaining({ change: 'stays', signal: 'pin', decided_by: 'maria' })]);
});

test('hot items are reported again after a day, once per item', () => {
  const { tick, told } = create({ hot: [BUSY, PIN] });
  tick(DAY_MS - 1);
  expect(told).toEqual([]);
  tick(DAY_MS);
  tick(DAY_MS + 1);
  expect(told.map(({ change, signals }) => [change, signals])).toEqual([['stays', ['busy', 'pin']]]);
});

test('ids differ for each change, and are equal for the same change', () => {
  const { tell, told } = create({ hot: [BUSY] });
  tell({ ...BUSY, change: 'enters' });
  tell({ ...BUSY, change: 'leaves' });
  tell({ ...BUSY, change: 'leaves', version: 5 });
  tell({ ...BUSY, change: 'enters' });
  const [first, second, third, again] = told.map(({ id }) => id);
  expect(again).toBe(first);
  expect(new Set([first, second, third]).size).toBe(3);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  ['far too long', 'x'.repeat(5_000)],
  ['half a character', 'x\ud800'],
  ['cut in the middle of a character', `${'x'.repeat(1_023)}😀`],
  ['empty', ''],
])('an item whose name is %s has a readable name', (_, item) => {
  const { tell, told } = create({ hot: [] });
  tell({ ...BUSY, item, rule: item, reason: item, change: 'leaves' });
  const [decision] = told;
  expect(parseDecision(JSON.stringify(decision))).toEqual(decision);
  expect(decision?.item.isWellFormed()).toBe(true);
});

type Options = { hot: Decision[]; override?: Override; held?: number };

function create({ hot: first, override, held = 0 }: Options) {
  let hot = first;
  const told: HotDecision[] = [];
  const teller = createTeller({
    node: 'web-1',
    now: () => 0,
    decisions: {
      hot: () => hot,
      heldCount: () => held,
      isHot: (item, signal) => hot.some((one) => one.item === item && one.signal === signal),
      version: () => 9,
    },
    overrides: { of: () => override },
    outbox: { add: (decision) => void told.push(decision) },
  });
  return {
    told,
    begin: teller.begin,
    tick: teller.tick,
    be(now: Decision[]) {
      hot = now;
    },
    tell: (change: Change | HeldChange, by = 'rule default') => teller.tell(change, by),
  };
}
