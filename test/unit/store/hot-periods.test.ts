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
