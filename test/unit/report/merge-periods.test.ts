import { describe, expect, test } from '@jest/globals';
import { joinSpans, mergePeriods, mostAtOnce } from '../../../report/merge-periods.ts';
import type { HotPeriod } from '../../../store/event-questions.ts';

const TO = 1_000;

function period(fields: Partial<HotPeriod>): HotPeriod {
  return {
    item: 'a',
    node: 'web-1',
    signal: 'busy',
    since: 0,
    reason: 'because',
    rule: 'default',
    dryRun: false,
    actions: ['cache'],
    ...fields,
  };
}

describe('hot periods', () => {
  test('of several nodes that overlap are one, as long as any of them', () => {
    const merged = mergePeriods(
      [
        period({ node: 'web-2', since: 20, until: 90, reason: 'later', actions: ['limit'], dryRun: true }),
        period({ since: 10, until: 50 }),
        period({ since: 10, until: 50, signal: 'surge' }),
        period({ since: 91, until: 95 }),
        period({ item: 'b', since: 40 }),
        period({ item: 'b', node: 'web-2', since: 50, until: 60 }),
      ],
      TO,
    );

    expect(
      merged.map(({ item, signal, since, until, nodes }) => [item, signal, since, until, nodes]),
    ).toEqual([
      ['a', 'busy', 10, 90, ['web-1', 'web-2']],
      ['a', 'surge', 10, 50, ['web-1']],
      ['b', 'busy', 40, undefined, ['web-1', 'web-2']],
      ['a', 'busy', 91, 95, ['web-1']],
    ]);
    expect(merged[0]).toMatchObject({ reason: 'because', actions: ['cache'], dryRun: false });
    expect(merged[0]?.cached).toEqual([{ node: 'web-1', from: 10, to: 50, refreshedTo: 50 }]);
  });

  test('whose end was not recorded are as long as they were at most', () => {
    const lost = period({ lostAt: 26 });
    const ends = (...periods: HotPeriod[]) =>
      mergePeriods([lost, ...periods], TO).map(({ until, lostAt }) => [until, lostAt]);
    expect(ends(period({ node: 'web-2', since: 100, until: 101 }))).toEqual([
      [undefined, 26],
      [101, undefined],
    ]);
    expect(ends(period({ node: 'web-2', since: 10, until: 26 }))).toEqual([[26, undefined]]);
    expect(ends(period({ node: 'web-2', since: 10, until: 20 }))).toEqual([[undefined, 26]]);
    expect(ends(period({ node: 'web-2', since: 10 }))).toEqual([[undefined, undefined]]);
    expect(mostAtOnce([lost, period({ item: 'b', since: 26 })], TO)).toBe(1);
  });

  test('are counted at once by node and signal: one that leaves makes room', () => {
    expect(mostAtOnce([], TO)).toBe(0);
    const three = [
      period({ until: 10 }),
      period({ item: 'b', since: 10 }),
      period({ item: 'c', since: 5, until: 20 }),
    ];
    expect(mostAtOnce(three, TO)).toBe(2);
    expect(mostAtOnce([period({}), period({ node: 'web-2' }), period({ signal: 'pin' })], TO)).toBe(1);
  });

  test('that overlap are joined, and those that do not are not', () => {
    const spans = [
      { from: 5, to: 6 },
      { from: 0, to: 3 },
      { from: 3, to: 4 },
      { from: 1, to: 2 },
    ];
    expect(joinSpans(spans)).toEqual([
      { from: 0, to: 4 },
      { from: 5, to: 6 },
    ]);
  });
});
