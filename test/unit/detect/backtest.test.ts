import { describe, expect, test } from '@jest/globals';
import { createBacktest, createGrid, type PastView } from '../../../detect/backtest.ts';
import { compileRules } from '../../../detect/rules.ts';
import { mix } from '../../../event/mix.ts';

const START = 1_795_355_712_000;

describe('a backtest', () => {
  test('says what would have been hot, from when to when, why, and what it would have saved', () => {
    const backtest = createBacktest();
    for (const view of [...viewsOf('sale', 50, 0, 60), ...viewsOf('other', 2, 60, 240)])
      backtest.observe(view);
    const { spells, stats, span } = backtest.finish();
    expect(spells).toHaveLength(1);
    const [spell] = spells;
    expect(spell).toMatchObject({ item: 'sale', signal: 'busy', rule: 'default' });
    expect(spell?.reason).toMatch(/^2\d(\.\d)? views\/s over 10 s/);
    // Two hundred views are there after four seconds; it has cooled when a minute has fewer than three hundred.
    expect(seconds(spell?.since)).toBeCloseTo(4, 0);
    expect(seconds(spell?.until)).toBeCloseTo(114, 0);
    expect(spell?.views).toBeGreaterThan(55 * 50);
    expect(spell?.saved).toBe((spell?.views ?? 0) - 56);
    expect(stats?.observed).toBe(3_000 + 360);
    expect(seconds(span?.to)).toBe(239.5);
  });

  test('finds a surge where what is usual is known, and none without', () => {
    const usual = createBacktest();
    for (const view of viewsOf('other', 5, 0, 240)) usual.observe(view);
    const views = [...viewsOf('other', 4, 240, 243), ...viewsOf('wanted', 15, 243, 250)];
    const learnt = { at: 0, seconds: 600, itemsSeen: 100, shop: 3_000, items: [] };
    expect(spellsOf(views, { stored: learnt })).toEqual([['wanted', 'surge']]);
    expect(spellsOf(views)).toEqual([]);
  });

  test('says what the cap held back, once', () => {
    const backtest = createBacktest({ rules: compileRules([], { cap: 1 }) });
    const views = [...viewsOf('first', 60, 0, 30), ...viewsOf('second', 40, 0, 30)];
    for (const view of views.sort((a, b) => a.time - b.time)) backtest.observe(view);
    expect(backtest.finish().held).toMatchObject([{ item: 'second', signal: 'busy' }]);
  });

  test('passes a pause of a day without waiting through it, and nothing is hot after it', () => {
    const views = [...viewsOf('sale', 50, 0, 20), ...viewsOf('other', 2, 86_400, 86_500)];
    const backtest = createBacktest();
    for (const view of views) backtest.observe(view);
    expect(backtest.finish().spells).toMatchObject([{ item: 'sale', until: expect.any(Number) }]);
  });

  test('of nothing finds nothing', () => {
    expect(createBacktest().finish()).toEqual({ spells: [], held: [], stats: undefined });
  });
});

test('a grid says how many items and minutes each threshold gives', () => {
  const grid = createGrid({ busyFrom: [10, 40, 100], surprise: [25] });
  const views = [...viewsOf('large', 60, 0, 120), ...viewsOf('small', 15, 0, 120)];
  for (const view of views.sort((a, b) => a.time - b.time)) grid.observe(view);
  const outcomes = grid.finish();
  expect(outcomes.map(({ busyFrom, busy }) => [busyFrom, busy.items])).toEqual([
    [10, 2],
    [40, 1],
    [100, 0],
  ]);
  expect(outcomes[1]?.busy.minutes).toBeCloseTo(1.9, 0);
});

function spellsOf(views: PastView[], options = {}): [string, string][] {
  const backtest = createBacktest(options);
  for (const view of views) backtest.observe(view);
  return backtest.finish().spells.map(({ item, signal }) => [item, signal]);
}

/** Views that come evenly, each by a new visitor. */
function viewsOf(item: string, perSecond: number, from: number, until: number): PastView[] {
  const word = [...item].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193), 7);
  return Array.from({ length: perSecond * (until - from) }, (_, i) => ({
    item,
    high: mix(word),
    low: mix(~word),
    visitor: mix(word + 3 * i),
    weight: 1,
    isBot: false,
    time: START + from * 1_000 + Math.floor((i * 1_000) / perSecond),
  }));
}

function seconds(time = Number.NaN): number {
  return (time - START) / 1_000;
}
