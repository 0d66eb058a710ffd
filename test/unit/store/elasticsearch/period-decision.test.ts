import { describe, expect, test } from '@jest/globals';
import { toPeriodDecision } from '../../../../store/elasticsearch/period-decision.ts';

const SOURCE = {
  '@timestamp': '2026-11-27T18:00:01.000Z',
  host: { name: 'web-1' },
  event: { action: 'enters', reason: '412 views/s', start: '2026-11-27T18:00:00.000Z' },
  rule: { name: 'default' },
  hot_item: { id: '4711', signal: 'busy' },
};
const actionsOf = (actions: unknown) =>
  toPeriodDecision({ ...SOURCE, hot_item: { ...SOURCE.hot_item, actions } })?.actions;

describe('the document of a decision', () => {
  // Synthetic _source, as in logsdb, has a list of one value as that value.
  test('is read with its actions as a list, as one value, and without any', () => {
    expect(actionsOf(['announce', 'cache'])).toEqual(['announce', 'cache']);
    expect(actionsOf('cache')).toEqual(['cache']);
    expect(toPeriodDecision(SOURCE)?.actions).toEqual([]);
  });

  test('of somebody else is none', () => {
    expect(actionsOf(7)).toBeUndefined();
    expect(toPeriodDecision({ ...SOURCE, rule: 'mine' })).toBeUndefined();
    expect(toPeriodDecision('text')).toBeUndefined();
  });
});
