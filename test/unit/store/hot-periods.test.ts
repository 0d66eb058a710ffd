import { describe, expect, test } from '@jest/globals';
import type { HotDecision } from '../../../event/decision-fields.ts';
import { periodsOf, REPEATED_MS } from '../../../store/hot-periods.ts';
import { DECISION } from '../../parts/hot-decision.ts';

const AT = DECISION.time;
const HOUR = 3_600_000;

describe('hot periods', () => {
  test('leave out items that the cap held back', () => {
    expect(ofRange(AT, [decision({ change: 'held' })])).toEqual([]);
  });

  test('without a recorded end are over when a repetition of the item is missing', () => {
    const entered = decision({});
    const lasting = [{ since: AT }];
    expect(ofRange(AT + 24 * HOUR, [entered])).toMatchObject(lasting);
    expect(ofRange(AT + REPEATED_MS, [entered])).toEqual([]);
    const stays = decision({ change: 'stays', time: AT + 24 * HOUR });
    expect(ofRange(AT + REPEATED_MS, [entered, stays])).toMatchObject(lasting);
    // A repetition names one of the signals of an item.
    const other = decision({ change: 'stays', signal: 'surge', since: AT + HOUR, time: AT + 24 * HOUR });
    expect(ofRange(AT + REPEATED_MS, [entered, other])).toMatchObject([{ signal: 'surge' }, ...lasting]);
  });

  test('without a recorded end do not last beyond that, nor beyond the next of that node', () => {
    const entered = decision({});
    const week = { from: AT, to: AT + 168 * HOUR, limit: 10 };
    expect(periodsOf([entered], week)).toEqual([
      expect.objectContaining({ since: AT, lostAt: AT + REPEATED_MS }),
    ]);
    expect(periodsOf([entered], { ...week, to: AT + REPEATED_MS })[0]).not.toHaveProperty('lostAt');
    // Killed, and started again: it cannot be hot twice.
    const again = decision({ since: AT + HOUR, time: AT + HOUR });
    const left = decision({ since: AT + HOUR, time: AT + 2 * HOUR, change: 'leaves' });
    expect(periodsOf([entered, again, left], week)).toEqual([
      expect.objectContaining({ since: AT + HOUR, until: AT + 2 * HOUR }),
      expect.objectContaining({ since: AT, lostAt: AT + HOUR }),
    ]);
  });

  test('do not end before they begin, when the clock was set back meanwhile', () => {
    const left = decision({ change: 'leaves', time: AT - HOUR });
    expect(periodsOf([decision({}), left], { from: AT - HOUR, to: AT + HOUR, limit: 10 })).toMatchObject([
      { since: AT, until: AT },
    ]);
  });

  test('with an end are those that overlap the range', () => {
    const period = [decision({}), decision({ change: 'leaves', time: AT + HOUR })];
    expect(ofRange(AT + HOUR - 1, period)).toMatchObject([{ since: AT, until: AT + HOUR }]);
    expect(ofRange(AT + HOUR, period)).toEqual([]);
  });
});

function ofRange(from: number, decisions: HotDecision[]) {
  return periodsOf(decisions, { from, to: from + HOUR, limit: 10 });
}

function decision(fields: Partial<HotDecision>): HotDecision {
  return { ...DECISION, since: AT, ...fields };
}
