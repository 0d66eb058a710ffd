import { describe, expect, test } from '@jest/globals';
import { createBacktest, createGrid, gridRule, type PastView } from '../../../detect/backtest.ts';
import { compileRules } from '../../../detect/rules.ts';
import { mix } from '../../../event/mix.ts';

const START = 1_795_355_712_000;

describe('a backtest', () => {
  test('reports which items would have been hot, when, why, and the views saved', () => {
    const backtest = createBacktest({ wordsOf });
    for (const view of [...viewsOf('sale', 50, 0, 60), ...viewsOf('other', 2, 60, 240)])
      backtest.observe(view);
    const { spells, saved, stats, span } = backtest.finish();
    expect(spells).toHaveLength(1);
    const [spell] = spells;
    expect(spell).toMatchObject({ item: 'sale', signal: 'busy', rule: 'default' });
    expect(spell?.reason).toMatch(/^2\d(\.\d)? views\/s over 10 s/);
    // Two hundred views are there after four seconds; it has cooled when a minute has fewer than three hundred.
    expect(seconds(spell?.since)).toBeCloseTo(4, 0);
    expect(seconds(spell?.until)).toBeCloseTo(114, 0);
    expect(spell?.views).toBeGreaterThan(55 * 50);
    // For 110 s and a bit a refresh each second.
    expect(spell?.saved).toEqual({
      views: spell?.views,
      refreshes: 111,
      requests: (spell?.views ?? 0) - 111,
    });
    expect(saved).toEqual(spell?.saved);
    expect(stats?.observed).toBe(3_000 + 360);
    expect(seconds(span?.to)).toBe(239.5);
  });

  test('finds a surge only with a known usual rate', () => {
    const usual = createBacktest({ wordsOf });
    for (const view of viewsOf('other', 5, 0, 240)) usual.observe(view);
    const views = [...viewsOf('other', 4, 240, 243), ...viewsOf('wanted', 15, 243, 250)];
    const learnt = { at: 0, seconds: 600, itemsSeen: 100, shop: 3_000, items: [] };
    expect(spellsOf(views, { stored: learnt })).toEqual([['wanted', 'surge']]);
    expect(spellsOf(views)).toEqual([]);
  });

  test('reports each item that the cap held back once', () => {
    const backtest = createBacktest({ wordsOf, rules: compileRules([], { cap: 1 }) });
    const views = [...viewsOf('first', 60, 0, 30), ...viewsOf('second', 40, 0, 30)];
    for (const view of views.sort((a, b) => a.time() - b.time())) backtest.observe(view);
    expect(backtest.finish().held).toMatchObject([{ item: 'second', signal: 'busy' }]);
  });

  test('skips a pause of a day; hot items cool at their time within it', () => {
    const views = [...viewsOf('sale', 50, 0, 20), ...viewsOf('other', 2, 86_400, 86_500)];
    const backtest = createBacktest({ wordsOf });
    for (const view of views) backtest.observe(view);
    const [sale, ...others] = backtest.finish().spells.filter(({ item }) => item === 'sale');
    expect(others).toEqual([]);
    expect(seconds(sale?.until)).toBeLessThan(120);
  });

  test('counts a view of an item that is hot by two signals once among the saved views', () => {
    const learnt = { at: 0, seconds: 600, itemsSeen: 100, shop: 3_000, items: [] };
    const backtest = createBacktest({ wordsOf, stored: learnt });
    for (const view of viewsOf('sale', 100, 0, 30)) backtest.observe(view);
    const { spells, saved } = backtest.finish();
    expect(spells.map(({ signal }) => signal).sort()).toEqual(['busy', 'surge']);
    expect(saved.views).toBe(Math.max(...spells.map(({ views }) => views)));
    expect(saved.requests).toBe(saved.views - saved.refreshes);
  });

  test('saves no views with an item whose only action is report', () => {
    const rules = compileRules([{ name: 'said', busy: { actions: ['announce'] } }]);
    const backtest = createBacktest({ wordsOf, rules });
    for (const view of viewsOf('sale', 50, 0, 30)) backtest.observe(view);
    const { spells, saved } = backtest.finish();
    expect(spells).toMatchObject([{ item: 'sale', rule: 'said' }]);
    expect(spells[0]).not.toHaveProperty('saved');
    expect(saved.views).toBe(0);
  });

  test('applies pins and bans of a file at their times', () => {
    const overrides = {
      pins: [{ item: 'announced', reason: 'TV', from: START + 5_000, until: START + 15_000 }],
      bans: [{ item: 'sale', reason: 'a test page' }],
    };
    const backtest = createBacktest({ wordsOf, overrides });
    for (const view of viewsOf('sale', 50, 0, 30)) backtest.observe(view);
    expect(backtest.finish().spells).toMatchObject([
      { item: 'announced', signal: 'pin', since: START + 5_000, until: START + 15_000 },
    ]);
  });

  test('lists a limited number of hot periods and counts the others', () => {
    const backtest = createBacktest({ wordsOf, most: 1 });
    const views = [...viewsOf('first', 60, 0, 30), ...viewsOf('second', 40, 0, 30)];
    for (const view of views.sort((a, b) => a.time() - b.time())) backtest.observe(view);
    expect(backtest.finish()).toMatchObject({ spells: [{ item: 'first' }], untold: { spells: 1 } });
  });

  test('of no events finds nothing', () => {
    expect(createBacktest({ wordsOf }).finish()).toEqual({
      spells: [],
      held: [],
      untold: { spells: 0, held: false },
      saved: { views: 0, refreshes: 0, requests: 0 },
    });
  });
});

test('a grid shows the number of items and minutes for each threshold', () => {
  const grid = createGrid({
    wordsOf,
    busyFrom: [10, 40, 100],
    surprise: [25],
    rulesOf: (cell) => compileRules([gridRule(cell)]),
  });
  const views = [...viewsOf('large', 60, 0, 120), ...viewsOf('small', 15, 0, 120)];
  for (const view of views.sort((a, b) => a.time() - b.time())) grid.observe(view);
  const outcomes = grid.finish();
  expect(outcomes.map(({ busyFrom, busy }) => [busyFrom, busy.items])).toEqual([
    [10, 2],
    [40, 1],
    [100, 0],
  ]);
  expect(outcomes[1]?.busy.minutes).toBeCloseTo(1.9, 0);
});

function spellsOf(views: PastView[], options = {}): [string, string][] {
  const backtest = createBacktest({ wordsOf, ...options });
  for (const view of views) backtest.observe(view);
  return backtest.finish().spells.map(({ item, signal }) => [item, signal]);
}

/** Views that come evenly, each by a new visitor. */
function viewsOf(item: string, perSecond: number, from: number, until: number): PastView[] {
  const words = wordsOf(item);
  return Array.from({ length: perSecond * (until - from) }, (_, i) => ({
    name: () => item,
    item: (word) => words[word],
    visitor: () => mix(words[0] + 3 * i),
    weight: () => 1,
    isNobody: () => false,
    time: () => START + from * 1_000 + Math.floor((i * 1_000) / perSecond),
  }));
}

function wordsOf(item: string): [number, number] {
  const word = [...item].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193), 7);
  return [mix(word), mix(~word)];
}

function seconds(time = Number.NaN): number {
  return (time - START) / 1_000;
}
