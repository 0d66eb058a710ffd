import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Change, createDecisions, type Finding } from '../../../detect/decisions.ts';
import { compileRules } from '../../../detect/rules.ts';

const DWELL = { busy: 30_000, surge: 60_000, concentrated: 30_000 };
const BUSY_A = {
  item: 'a',
  signal: 'busy',
  actions: ['announce', 'cache'],
  since: 0,
  reason: 'many',
  rule: 'default',
  dryRun: false,
};

describe('decisions', () => {
  test('an item that is found hot enters once, with its reason, and leaves when its signal is over and its dwell has passed', () => {
    const { decisions, changes } = create();
    expect(decisions.enter(busy('a'), 0)).toBe('entered');
    expect(decisions.enter(busy('a'), 1)).toBe('there');
    expect(decisions.leave('a', 'busy', DWELL.busy - 1)).toBe(false);
    expect(decisions.leave('a', 'busy', DWELL.busy)).toBe(true);
    expect(changes).toEqual([
      { ...BUSY_A, version: 1, change: 'enters' },
      { ...BUSY_A, version: 2, change: 'leaves' },
    ]);
  });

  test('the cap holds back what is weaker, and says so until a second later', () => {
    const { decisions } = create({ cap: 1 });
    decisions.enter(busy('a', 100), 0);
    expect(decisions.enter(busy('b', 90), 60_000)).toBe('held');
    expect(decisions.held()).toEqual([{ item: 'b', signal: 'busy', strength: 90, reason: 'many' }]);
    decisions.advance(60_900);
    expect(decisions.held()).toHaveLength(1);
    decisions.advance(61_000);
    expect(decisions.held()).toEqual([]);
  });

  test('what is clearly stronger takes the place of the weakest, but not within its dwell', () => {
    const { decisions } = create({ cap: 1 });
    decisions.enter(busy('a', 100), 0);
    expect(decisions.enter(busy('b', 500), DWELL.busy - 1)).toBe('held');
    expect(decisions.enter(busy('b', 120), DWELL.busy)).toBe('held');
    expect(decisions.enter(busy('b', 500), DWELL.busy)).toBe('entered');
    expect(decisions.hot().map(({ item }) => item)).toEqual(['b']);
  });

  test('each signal has a cap of its own', () => {
    const { decisions } = create({ cap: 1 });
    decisions.enter(busy('a'), 0);
    expect(decisions.enter({ ...busy('b'), signal: 'surge' }, 0)).toBe('entered');
  });

  test('a pin is hot without any signal, from its beginning to its end, whatever the cap', () => {
    const { decisions, changes } = create({ cap: 0 });
    decisions.pin('a', { from: 1_000, until: 2_000, reason: 'a campaign', now: 0 });
    expect(decisions.isHot('a', 'pin')).toBe(false);
    decisions.advance(1_000);
    expect(decisions.hot()).toMatchObject([{ item: 'a', signal: 'pin', until: 2_000, reason: 'a campaign' }]);
    decisions.advance(2_000);
    expect(decisions.hot()).toEqual([]);
    expect(changes.map(({ change }) => change)).toEqual(['enters', 'leaves']);
  });

  test('a ban wins over a pin and over a signal, at once, until it ends', () => {
    const { decisions } = create();
    decisions.enter(busy('a'), 0);
    decisions.pin('a', { reason: 'a campaign', now: 0 });
    decisions.ban('a', { until: 5_000, now: 1 });
    expect(decisions.hot()).toEqual([]);
    expect(decisions.enter(busy('a'), 2)).toBe('banned');
    decisions.advance(5_000);
    expect(decisions.hot()).toMatchObject([{ item: 'a', signal: 'pin' }]);
    expect(decisions.enter(busy('a'), 5_000)).toBe('entered');
  });

  test('what is cleared has neither pin nor ban', () => {
    const { decisions } = create();
    decisions.pin('a', { reason: 'a campaign', now: 0 });
    decisions.ban('b', { now: 0 });
    decisions.clear('a', 1);
    decisions.clear('b', 1);
    expect(decisions.hot()).toEqual([]);
    expect(decisions.enter(busy('b'), 1)).toBe('entered');
  });

  test('nothing leaves and enters again within its dwell, and the cap is never passed, whatever comes', () => {
    const step = fc.record({
      passes: fc.oneof(fc.nat(500), fc.nat(70_000)),
      item: fc.constantFrom('a', 'b', 'c', 'd'),
      signal: fc.constantFrom('busy' as const, 'surge' as const),
      strength: fc.integer({ min: 1, max: 1_000 }),
      enters: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { decisions, changes } = create({ cap: 2 });
        let now = 0;
        for (const { passes, item, signal, strength, enters } of steps) {
          now += passes;
          const before = changes.length;
          if (enters) decisions.enter({ item, signal, strength, explain: () => '' }, now);
          else decisions.leave(item, signal, now);
          for (const { change, signal: left, since } of changes.slice(before)) {
            if (change === 'leaves' && left !== 'pin')
              expect(now - since).toBeGreaterThanOrEqual(DWELL[left]);
          }
          for (const each of ['busy', 'surge'] as const)
            expect(decisions.hot().filter((one) => one.signal === each).length).toBeLessThanOrEqual(2);
        }
        expect(changes.map(({ version }) => version)).toEqual(changes.map((_, i) => i + 1));
      }),
    );
  });
});

function busy(item: string, strength = 50): Finding {
  return { item, signal: 'busy', strength, explain: () => 'many' };
}

function create({ cap = 100 } = {}) {
  const changes: Change[] = [];
  const decisions = createDecisions({
    rules: compileRules([], { cap }),
    onChange: (change) => changes.push(change),
  });
  return { decisions, changes };
}
