import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Change,
  createDecisions,
  type Decision,
  type DecisionsOptions,
  type Finding,
} from '../../../detect/decisions.ts';
import { compileRules } from '../../../detect/rules.ts';

const DWELL = { busy: 30_000, surge: 60_000, concentrated: 30_000 };
const NUMBERS = { windowSeconds: 10, viewsPerSecond: 30, visitors: 7, estimated: false };
const BUSY_A = {
  item: 'a',
  signal: 'busy',
  actions: ['announce', 'cache'],
  since: 0,
  reason: 'many',
  numbers: NUMBERS,
  rule: 'default',
  dryRun: false,
};
const PIN_A = { item: 'a', reason: 'a campaign' };

describe('decisions', () => {
  test('a hot item enters once, with its reason, and leaves when its signal has ended and its dwell has passed', () => {
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

  test('the cap holds back weaker items, and reports them for another second', () => {
    const { decisions } = create({ cap: 1 });
    decisions.enter(busy('a', 100), 0);
    expect(decisions.enter(busy('b', 90), 60_000)).toBe('held');
    expect(decisions.held()).toEqual([{ item: 'b', signal: 'busy', strength: 90, reason: 'many' }]);
    decisions.advance(60_900);
    expect(decisions.held()).toHaveLength(1);
    decisions.advance(61_000);
    expect(decisions.held()).toEqual([]);
  });

  test('an item that the cap begins to hold back is told with its reason, once in a minute', () => {
    const { decisions, held } = create({ cap: 1 });
    decisions.enter(busy('a', 100), 0);
    for (let now = 0; now <= 5_000; now += 100) {
      decisions.enter(busy('b', 90), now);
      decisions.advance(now);
    }
    expect(held).toEqual([{ ...BUSY_A, item: 'b', since: 0, version: 2 }]);
    // It comes and goes.
    for (let now = 10_000; now <= 60_000; now += 10_000) {
      decisions.enter(busy('b', 90), now);
      decisions.advance(now + 5_000);
    }
    expect(held).toHaveLength(1);
    decisions.advance(120_100);
    decisions.enter(busy('b', 90), 120_200);
    expect(held).toHaveLength(2);
  });

  test('no more than a hundred items that are held back are told at once', () => {
    const { decisions, held } = create({ cap: 1 });
    decisions.enter(busy('a', 100), 0);
    for (let i = 0; i < 3_000; i++) decisions.enter(busy(`${i}`, 90), 0);
    expect(held).toHaveLength(100);
    expect(decisions.held()).toHaveLength(3_000);
    expect(decisions.heldCount()).toBe(3_000);
  });

  test('a clearly stronger item replaces the weakest one, but not within its dwell', () => {
    const { decisions } = create({ cap: 1 });
    decisions.enter(busy('a', 100), 0);
    expect(decisions.enter(busy('b', 500), DWELL.busy - 1)).toBe('held');
    expect(decisions.enter(busy('b', 120), DWELL.busy)).toBe('held');
    expect(decisions.enter(busy('b', 500), DWELL.busy)).toBe('entered');
    expect(decisions.hot().map(({ item }) => item)).toEqual(['b']);
  });

  test('each signal has its own cap', () => {
    const { decisions } = create({ cap: 1 });
    decisions.enter(busy('a'), 0);
    expect(decisions.enter({ ...busy('b'), signal: 'surge' }, 0)).toBe('entered');
  });

  test('a pinned item is hot without a signal, from start to end of the pin, regardless of the cap', () => {
    const { decisions, changes } = create({ cap: 0 });
    decisions.setOverrides({ pins: [{ ...PIN_A, from: 1_000, until: 2_000 }], bans: [] }, 0);
    expect(decisions.isHot('a', 'pin')).toBe(false);
    decisions.advance(1_000);
    expect(decisions.hot()).toMatchObject([{ item: 'a', signal: 'pin', until: 2_000, reason: 'a campaign' }]);
    decisions.advance(2_000);
    expect(decisions.hot()).toEqual([]);
    expect(changes.map(({ change }) => change)).toEqual(['enters', 'leaves']);
  });

  test('a ban overrides pins and signals at once, until it ends', () => {
    const { decisions } = create();
    decisions.enter(busy('a'), 0);
    decisions.setOverrides({ pins: [PIN_A], bans: [] }, 0);
    decisions.setOverrides({ pins: [PIN_A], bans: [{ item: 'a', until: 5_000, reason: 'a test' }] }, 1);
    expect(decisions.hot()).toEqual([]);
    expect(decisions.enter(busy('a'), 2)).toBe('banned');
    decisions.advance(5_000);
    expect(decisions.hot()).toMatchObject([{ item: 'a', signal: 'pin' }]);
    expect(decisions.enter(busy('a'), 5_000)).toBe('entered');
  });

  test('a pin and a ban that are removed end at once', () => {
    const { decisions } = create();
    decisions.setOverrides({ pins: [PIN_A], bans: [{ item: 'b', reason: 'a test' }] }, 0);
    expect(decisions.isHot('a', 'pin')).toBe(true);
    decisions.setOverrides({ pins: [], bans: [] }, 1);
    expect(decisions.hot()).toEqual([]);
    expect(decisions.enter(busy('b'), 1)).toBe('entered');
  });

  test('no item leaves and re-enters within its dwell, and the cap is never exceeded, for random input', () => {
    const step = fc.record({
      passes: fc.oneof(fc.nat(500), fc.nat(70_000)),
      item: fc.constantFrom('a', 'b', 'c', 'd'),
      signal: fc.constantFrom('busy' as const, 'surge' as const),
      strength: fc.integer({ min: 1, max: 1_000 }),
      enters: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { decisions, changes, held } = create({ cap: 2 });
        let now = 0;
        for (const { passes, item, signal, strength, enters } of steps) {
          now += passes;
          const before = changes.length;
          if (enters)
            decisions.enter({ item, signal, strength, explain: () => ({ text: '', numbers: NUMBERS }) }, now);
          else decisions.leave(item, signal, now);
          for (const { change, signal: left, since } of changes.slice(before)) {
            if (change === 'leaves' && left !== 'pin')
              expect(now - since).toBeGreaterThanOrEqual(DWELL[left]);
          }
          for (const each of ['busy', 'surge'] as const)
            expect(decisions.hot().filter((one) => one.signal === each).length).toBeLessThanOrEqual(2);
        }
        const versions = [...changes, ...held].map(({ version }) => version).sort((a, b) => a - b);
        expect(versions).toEqual(versions.map((_, i) => i + 1));
      }),
    );
  });
});

describe('changed rules', () => {
  test('apply to hot items: reported as a change, not as leaving', () => {
    const { decisions, changes } = create();
    decisions.enter(busy('a'), 0);
    decisions.setRules(compileRules([{ name: 'careful', dryRun: true, busy: { actions: ['isolate'] } }]), 5);
    const changed = { actions: ['isolate'], rule: 'careful', dryRun: true, since: 0 };
    expect(changes[1]).toMatchObject({ ...changed, change: 'changes', version: 2 });
    expect(decisions.hot()).toMatchObject([changed]);
    decisions.setRules(compileRules([{ name: 'careful', dryRun: true, busy: { actions: ['isolate'] } }]), 6);
    expect(changes).toHaveLength(2);
  });

  test('that exclude an item make it leave at once, except if it is pinned', () => {
    const { decisions } = create();
    decisions.enter(busy('a'), 0);
    decisions.setOverrides({ pins: [PIN_A], bans: [] }, 0);
    decisions.setRules(compileRules([{ name: 'never', items: ['a'], mayBeHot: false }]), 1);
    expect(decisions.hot().map(({ signal }) => signal)).toEqual(['pin']);
  });

  test('with a lower cap make the weakest items leave at once', () => {
    const { decisions } = create();
    for (const [item, strength] of [
      ['a', 50],
      ['b', 90],
      ['c', 70],
    ] as const)
      decisions.enter(busy(item, strength), 0);
    decisions.setRules(compileRules([], { cap: 1 }), 1);
    expect(decisions.hot().map(({ item }) => item)).toEqual(['b']);
  });

  test('with another dwell apply to hot items', () => {
    const { decisions } = create();
    decisions.enter(busy('a'), 0);
    decisions.setRules(compileRules([{ name: 'short', busy: { dwellMs: 1_000 } }]), 1);
    expect(decisions.leave('a', 'busy', 1_000)).toBe(true);
  });
});

describe('after a restart', () => {
  test('hot, pinned and banned items are kept, without reporting a change', () => {
    const { decisions } = create();
    decisions.enter(busy('a', 70), 0);
    const pins = [{ ...PIN_A, item: 'b', until: 9_000 }];
    decisions.setOverrides({ pins, bans: [{ item: 'c', reason: 'a test' }] }, 1);
    const again = create({ stored: { state: decisions.state(), now: 1_000 } });
    expect(again.changes).toEqual([]);
    expect(again.decisions.state()).toEqual(decisions.state());
    expect(again.decisions.enter(busy('c'), 1_000)).toBe('banned');
    again.decisions.advance(9_000);
    expect(again.changes).toMatchObject([{ item: 'b', change: 'leaves', version: decisions.version() + 1 }]);
  });

  test('at most as many items as the cap are kept, the strongest', () => {
    const { decisions } = create();
    for (const [item, strength] of [
      ['a', 50],
      ['b', 90],
      ['c', 70],
    ] as const)
      decisions.enter(busy(item, strength), 0);
    const again = create({ cap: 2, stored: { state: decisions.state(), now: 0 } });
    expect(again.decisions.hot().map(({ item }) => item)).toEqual(['b', 'c']);
  });

  test('a clock that was set back keeps no item for longer than its dwell', () => {
    const { decisions } = create();
    decisions.enter(busy('a'), 3_600_000);
    const again = create({ stored: { state: decisions.state(), now: 0 } });
    expect(again.decisions.leave('a', 'busy', DWELL.busy)).toBe(true);
  });

  test('versions continue, whatever was stored', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(fc.nat(2_000), { maxLength: 5 }), (version, versions) => {
        const hot = versions.map((one, i) => ({
          ...BUSY_A,
          item: `${i}`,
          signal: 'busy' as const,
          actions: [],
          version: one,
          strength: 1,
        }));
        const again = create({ stored: { state: { version, hot, pins: [], bans: [] }, now: 0 } });
        again.decisions.enter(busy('new'), 0);
        expect(again.changes[0]?.version).toBe(Math.max(version, ...versions) + 1);
      }),
    );
  });
});

test('a repeated pin has the new end and reason', () => {
  const { decisions, changes } = create();
  decisions.setOverrides({ pins: [{ ...PIN_A, until: 1_000 }], bans: [] }, 0);
  decisions.setOverrides({ pins: [{ ...PIN_A, reason: 'for good' }], bans: [] }, 1);
  expect(changes[1]).toMatchObject({ change: 'changes', reason: 'for good', since: 0 });
  expect(changes[1]).not.toHaveProperty('until');
  decisions.advance(5_000);
  expect(decisions.isHot('a', 'pin')).toBe(true);
});

test('thousands of held-back items do not each scan all hot items', () => {
  const { decisions } = create({ cap: 100 });
  for (let i = 0; i < 100; i++) decisions.enter(busy(`hot-${i}`, 1_000), 0);
  let explained = 0;
  const explain = () => ({ text: `${++explained}`, numbers: NUMBERS });
  for (let now = 0; now < 500; now += 100)
    for (let i = 0; i < 2_000; i++) {
      const entered = decisions.enter({ item: `${i}`, signal: 'busy', strength: 30, explain }, now);
      if (entered !== 'held') throw new Error(`${i} is ${entered}`);
    }
  expect(explained).toBe(2_000);
  expect(decisions.held()).toHaveLength(2_000);
});

function busy(item: string, strength = 50): Finding {
  return { item, signal: 'busy', strength, explain: () => ({ text: 'many', numbers: NUMBERS }) };
}

type Stored = NonNullable<DecisionsOptions['stored']>;

function create({ cap = 100, stored }: { cap?: number; stored?: Stored } = {}) {
  const changes: Change[] = [];
  const held: Decision[] = [];
  const decisions = createDecisions({
    rules: compileRules([], { cap }),
    onChange: (change) => changes.push(change),
    onHeld: (one) => held.push(one),
    ...(stored === undefined ? {} : { stored }),
  });
  return { decisions, changes, held };
}
