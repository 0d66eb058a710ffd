import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRandom } from '../../../demo/random.ts';
import { createDecisions } from '../../../detect/decisions.ts';
import { createHeat, type Heat } from '../../../detect/heat.ts';
import { compileRules, DEFAULT_RULE } from '../../../detect/rules.ts';
import { createRows, ROW_BITS, type Views } from '../../../detect/views.ts';
import { WINDOWS, type Window } from '../../../detect/windows.ts';
import { mix } from '../../../event/mix.ts';
import { FULL, firstOf, runs } from '../../parts/full.ts';
import { LEARNT_SECONDS, START, simulateLearntShop, simulateShop } from './simulated-shop.ts';

/** Of each window: how long a slot is, and how many there are. */
const SLOTS: Record<Window, [slotMs: number, slots: number]> = {
  second: [100, 10],
  ten: [1_000, 10],
  minute: [1_000, 60],
  fiveMinutes: [5_000, 60],
};
const HOUR_MS = 3_600_000;
/** Of URLs that are viewed once, for 20 s: a million by a full run. */
const FLOOD_PER_SECOND = FULL ? 50_000 : 10_000;

describe('busy', () => {
  test('starts at 20 views/s over ten seconds, whoever views the item, with the numbers in its reason', () => {
    const shop = simulateShop();
    shop.pass(12, [{ item: 'scraped', perSecond: 30, visitors: 1, isBot: true }]);
    expect(shop.entered('busy')).toEqual(['scraped']);
    expect(shop.decisions.hot()[0]?.reason).toMatch(/^2\d(\.\d)? views\/s over 10 s, 0 visitors in 10 s$/);
  });

  test('counts an item from its first view', () => {
    const shop = simulateShop({ perSecond: 0 });
    for (let i = 0; i < 199; i++) shop.viewOnce('sale');
    shop.pass(0.1);
    expect(shop.entered('busy')).toEqual([]);
    expect(shop.heat.explain('sale').measured?.windows.ten).toMatchObject({ views: 199, visitors: 199 });
    shop.viewOnce('sale');
    shop.pass(0.1);
    expect(shop.entered('busy')).toEqual(['sale']);
  });

  test("an item's first view counts at its own time, with its visitor", () => {
    const shop = simulateShop({ perSecond: 0 });
    shop.pass(0.1, [{ item: 'twice', perSecond: 10, visitors: 1 }]);
    shop.pass(5);
    shop.pass(0.1, [{ item: 'twice', perSecond: 10, visitors: 1 }]);
    const { second, ten } = shop.heat.explain('twice').measured?.windows ?? {};
    expect([second?.views, ten?.views, ten?.visitors]).toEqual([1, 2, 1]);
  });

  test('does not start below that', () => {
    const shop = simulateShop();
    shop.pass(60, [{ item: 'nearly', perSecond: 19 }]);
    expect(shop.entered('busy')).toEqual([]);
  });

  test('ends below five views/s over a minute, after its dwell', () => {
    const shop = simulateShop();
    shop.pass(70, [{ item: 'sale', perSecond: 50 }]);
    shop.pass(45, [{ item: 'sale', perSecond: 6 }]);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
    shop.pass(61);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(false);
  });
});

describe('a surge', () => {
  test('500 visitors with one view/s each cause one within a second', () => {
    const shop = simulateLearntShop();
    const began = shop.now();
    shop.pass(20, [{ item: 'wanted', perSecond: 500, visitors: 500 }]);
    expect(shop.entered('surge')).toEqual(['wanted']);
    const [surge] = shop.changes.filter(({ signal }) => signal === 'surge');
    expect((surge?.since ?? 0) - began).toBeLessThanOrEqual(1_000);
    expect(surge?.reason).toMatch(/visitors in 1 s, [\d,]+ × its baseline of /);
  });

  test('one scraper, a bot from many addresses, and two thousand shoppers behind one address with thirty browsers never cause one', () => {
    const streams = [
      { item: 'scraped', perSecond: 500, visitors: 1 },
      { item: 'crawled', perSecond: 500, isBot: true },
      { item: 'behind one address', perSecond: 100, visitors: 30 },
    ];
    const shop = simulateLearntShop({ perSecond: 1_000 });
    // The thirty are not all new in one second.
    shop.pass(
      15,
      streams.map((stream) => ({ ...stream, perSecond: 3 })),
    );
    shop.pass(FULL ? 60 : 20, streams);
    expect(shop.entered('surge')).toEqual([]);
    expect(shop.entered('busy')).toEqual(expect.arrayContaining(streams.map(({ item }) => item)));
  });

  test('a shop whose traffic rises within ten seconds has none: all items rise together', () => {
    const shop = simulateShop({ perSecond: 40 });
    shop.pass(400);
    const awake = Array.from({ length: 200 }, (_, i) => ({ item: `item-${i + 1}`, perSecond: 32 / (i + 1) }));
    shop.pass(120, awake);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('there is none in the first three minutes, while the usual rate is unknown', () => {
    const shop = simulateShop();
    shop.pass(170, [{ item: 'wanted', perSecond: 15 }]);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('ends when the rate has become usual, not before its dwell', () => {
    const shop = simulateLearntShop();
    shop.pass(10, [{ item: 'wanted', perSecond: 15 }]);
    expect(shop.decisions.isHot('wanted', 'surge')).toBe(true);
    shop.pass(45);
    expect(shop.decisions.isHot('wanted', 'surge')).toBe(true);
    shop.pass(60);
    expect(shop.decisions.isHot('wanted', 'surge')).toBe(false);
  });
});

describe('input that must not make items hot', () => {
  test('an old spill makes nothing hot, and is counted', () => {
    const shop = simulateLearntShop();
    shop.pass(20, [{ item: 'spilled', perSecond: 1_000, lateMs: 600_000 }]);
    expect(shop.changes).toEqual([]);
    expect(shop.heat.stats().late).toBe(20_000);
  });

  test('a recent spill makes no item hot that is not hot now', () => {
    const shop = simulateLearntShop();
    shop.pass(20, [{ item: 'spilled', perSecond: 1_000, lateMs: 90_000 }]);
    expect(shop.changes).toEqual([]);
  });

  test('a view from more than two seconds in the future is counted and makes nothing hot', () => {
    const shop = simulateShop();
    shop.pass(20, [{ item: 'ahead', perSecond: 100, lateMs: -5_000 }]);
    expect(shop.changes).toEqual([]);
    expect(shop.heat.stats().late).toBe(2_000);
  });

  test('a flood of URLs that are viewed once neither evicts a hot item nor grows the tables', () => {
    const shop = simulateShop({ perSecond: 0 });
    shop.pass(15, [{ item: 'sale', perSecond: 50 }]);
    const before = shop.heat.stats();
    const flooded = simulateFlood(shop);
    expect(flooded).toBe(20 * FLOOD_PER_SECOND);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
    expect(shop.heat.stats().bytes).toBe(before.bytes);
    expect(shop.heat.stats().tracked).toBe(before.tracked);
  });
});

describe('the clock', () => {
  test.each(
    firstOf(2, [
      ['an hour back', -HOUR_MS],
      ['an hour forward', HOUR_MS],
      ['a day back', -24 * HOUR_MS],
    ]),
  )('set %s causes no false decision: no item enters, and no hot item leaves', (_, step) => {
    const shop = simulateLearntShop();
    shop.pass(65, [{ item: 'sale', perSecond: 50 }]);
    const before = shop.changes.length;
    shop.setClock(shop.now() + step);
    shop.pass(120, [{ item: 'sale', perSecond: 50 }]);
    expect(shop.changes.slice(before)).toEqual([]);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
  });

  test.each(
    firstOf(2, [
      ['a day back', -24 * HOUR_MS],
      ['a day forward', 24 * HOUR_MS],
      ['an hour back', -HOUR_MS],
    ]),
  )('set %s keeps no item hot that nobody views any more', (_, step) => {
    const shop = simulateLearntShop();
    shop.pass(40, [{ item: 'sale', perSecond: 50 }]);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
    shop.setClock(shop.now() + step);
    shop.pass(130);
    expect(shop.decisions.hot()).toEqual([]);
  });

  test.each(
    firstOf(1, [
      ['of 1970', 5_000],
      ['of ten years ago', START - 10 * 365 * 24 * HOUR_MS],
    ]),
  )('%s at the start, set right by NTP later, does not end detection', (_, now) => {
    const shop = simulateShop({ stored: { now } });
    shop.pass(20);
    shop.setClock(START);
    shop.pass(LEARNT_SECONDS);
    shop.pass(12, [{ item: 'sale', perSecond: 50 }]);
    expect(shop.entered('busy')).toEqual(['sale']);
    expect(shop.entered('surge')).toEqual(['sale']);
    shop.pass(130);
    expect(shop.decisions.hot()).toEqual([]);
  });

  test.each(
    firstOf(2, [
      ['an hour back', -HOUR_MS],
      ['200 s forward', 200_000],
      ['150 s forward', 150_000],
    ]),
  )('set %s does not make shoppers who stay look concentrated', (_, step) => {
    const stay = [{ item: 'waiting room', perSecond: 150, visitors: 300 }];
    const shop = simulateShop({ perSecond: 10 });
    shop.pass(30, stay);
    shop.setClock(shop.now() + step);
    shop.pass(40, stay);
    expect(shop.entered('concentrated')).toEqual([]);
    expect(shop.entered('surge')).toEqual([]);
    expect(shop.heat.explain('waiting room').measured?.windows.ten.visitors).toBe(300);
  });

  test('corrected by less than a second changes nothing', () => {
    const shop = simulateShop();
    shop.pass(20, [{ item: 'sale', perSecond: 30 }]);
    shop.setClock(shop.now() - 900);
    shop.pass(20, [{ item: 'sale', perSecond: 30 }]);
    expect(shop.changes.map(({ item, change }) => [item, change])).toEqual([['sale', 'enters']]);
  });
});

test('a shop of which one view in ten is captured finds the same hot items', () => {
  const sampled = simulateShop({ perSecond: 10, weight: 10 });
  sampled.pass(LEARNT_SECONDS);
  sampled.pass(40, [
    { item: 'wanted', perSecond: 50, weight: 10 },
    { item: 'new', perSecond: 2, weight: 10 },
  ]);
  const whole = simulateShop();
  whole.pass(LEARNT_SECONDS);
  whole.pass(40, [
    { item: 'wanted', perSecond: 500 },
    { item: 'new', perSecond: 20 },
  ]);
  for (const signal of ['busy', 'surge'] as const)
    expect(sampled.entered(signal)).toEqual(whole.entered(signal));
  expect(whole.entered('surge')).toEqual(['wanted', 'new']);
});

test('no item leaves and re-enters within its dwell, for random views', () => {
  const shop = simulateShop({ perSecond: 20 });
  for (let i = 0; i < 40; i += FULL ? 2 : 8) {
    shop.pass(12, [{ item: 'flickers', perSecond: 60 }]);
    shop.pass(20 + 3 * i);
  }
  const busy = shop.changes.filter(({ item, signal }) => item === 'flickers' && signal === 'busy');
  expect(busy.length).toBeGreaterThan(2);
  const leaves = busy.filter(({ change }) => change === 'leaves');
  expect(leaves.length).toBeGreaterThan(0);
  for (const [i, { change, since }] of busy.entries())
    if (change === 'leaves')
      expect((busy[i + 1]?.since ?? Number.POSITIVE_INFINITY) - since).toBeGreaterThan(
        DEFAULT_RULE.busy.dwellMs,
      );
  expect(Math.min(...shop.changes.map(({ since }) => since))).toBeGreaterThan(START);
});

describe('an item that is far from every threshold', () => {
  const batch = fc.record({
    item: fc.integer({ min: 0, max: 2 }),
    /** Few, so that the next batch is needed to see what this one should have found. */
    count: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) },
      fc.integer({ min: 1, max: 90 }),
    ),
    /** Since the batch before. */
    ticks: fc.oneof(
      { weight: 20, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.constant(1) },
      fc.integer({ min: 0, max: 99 }),
    ),
    visitors: fc.constantFrom(1, 4, 1_000, 1_000),
    isBot: fc.constantFrom(false, false, false, true),
    lateMs: fc.oneof(fc.constant(0), fc.nat(12_000)),
    weight: fc.constantFrom(1, 1, 1, 5),
  });
  type Batch = typeof batch extends fc.Arbitrary<infer One> ? One : never;

  test('is not checked with each batch, and yet enters with the same one as if it were', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(batch, { minLength: 200, maxLength: 300, size: 'max' }), (batches) => {
        const found = decided(batches, false);
        for (const { signal } of found) seen.add(signal);
        expect(found).toEqual(decided(batches, true));
      }),
      { numRuns: FULL ? 200 : 8, seed: 8, endOnFailure: true },
    );
    expect([...seen].sort()).toEqual(['busy', 'concentrated', 'surge']);
  });

  /** `checksAll`: rules that are replaced make each item due. */
  function decided(batches: Batch[], checksAll: boolean) {
    const found: { batch: number; item: string; signal: string; change: string; reason: string }[] = [];
    // So that each signal is the next that an item can enter by.
    const rules = compileRules([
      { name: 'few', items: ['item-1', 'item-2'], surge: { visitors: Number.POSITIVE_INFINITY } },
      { name: 'few', items: ['item-1'], concentrated: { perSecond: 5 } },
      { name: 'busy', items: ['item-2'], concentrated: { perSecond: Number.POSITIVE_INFINITY } },
    ]);
    let [now, name, visitor, index] = [START, '', 0, 0];
    const decisions = createDecisions({
      rules,
      onChange: ({ item, signal, change, reason }) =>
        void found.push({ batch: index, item, signal, change, reason }),
    });
    const stored = { at: START, seconds: 3_600, itemsSeen: 100, shop: 20_000, items: [] };
    const heat = createHeat({ now, nameOf: () => name, decisions, rules, stored, places: 64 });
    for (const { item, count, ticks, visitors, isBot, lateMs, weight } of batches) {
      for (let i = 0; i < ticks; i++) {
        now += 100;
        heat.advance(now);
      }
      name = `item-${item}`;
      const different = item === 1 ? Math.min(visitors, 6) : visitors;
      for (let i = 0; i < count; i++)
        heat.observe(mix(2 * item + 1), mix(~item), mix(visitor++ % different), weight, isBot, now - lateMs);
      heat.decide();
      if (checksAll) heat.setRules(rules);
      index++;
    }
    return found;
  }
});

describe('concentrated', () => {
  test('is an item that one scraper views, with the scraper named, and without a surge', () => {
    const shop = simulateLearntShop();
    shop.pass(15, [{ item: 'scraped', perSecond: 60, visitors: 1 }]);
    expect(shop.entered('concentrated')).toEqual(['scraped']);
    const [found] = shop.decisions.hot().filter(({ signal }) => signal === 'concentrated');
    expect(found?.actions).toEqual([]);
    expect(found?.reason).toMatch(/^[\d.]+ views\/s over 10 s by 1 visitor/);
    const [heaviest] = shop.heat.heaviest('scraped');
    expect(heaviest?.visitor).toBe(mix(~0));
    expect(heaviest?.views).toBeGreaterThan(100);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('is never an item that only bots view: bots are not visitors', () => {
    const shop = simulateShop();
    shop.pass(30, [
      { item: 'crawled', perSecond: 300, visitors: 3, isBot: true },
      { item: 'crawled', perSecond: 2, visitors: 200 },
    ]);
    expect(shop.entered('concentrated')).toEqual([]);
    expect(shop.heat.heaviest('crawled')).toEqual([]);
  });

  test('is an item that a scraper views, also beside bots, and a bot is never the heaviest visitor', () => {
    const shop = simulateShop();
    shop.pass(15, [
      { item: 'scraped', perSecond: 100, visitors: 2, isBot: true },
      { item: 'scraped', perSecond: 60, visitors: 1 },
    ]);
    const [found] = shop.decisions.hot().filter(({ signal }) => signal === 'concentrated');
    expect(found?.reason).toMatch(/^[\d.]+ views\/s over 10 s by 1 visitor/);
    const [heaviest] = shop.heat.heaviest('scraped');
    expect(heaviest?.views).toBeLessThanOrEqual(600);
    expect(shop.heat.heaviest('scraped')).toHaveLength(1);
  });

  test('is limited if a rule asks for it', () => {
    const limit = { name: 'scrapers', concentrated: { actions: ['limit' as const] } };
    const shop = simulateShop({ rules: compileRules([limit]) });
    shop.pass(12, [{ item: 'scraped', perSecond: 60, visitors: 1 }]);
    const [found] = shop.decisions.hot().filter(({ signal }) => signal === 'concentrated');
    expect(found).toMatchObject({ actions: ['limit'], rule: 'scrapers' });
  });

  test('is not an item that 300 shoppers view repeatedly for a minute', () => {
    const shop = simulateShop();
    shop.pass(60, [{ item: 'waiting room', perSecond: 150, visitors: 300 }]);
    expect(shop.entered('busy')).toEqual(['waiting room']);
    expect(shop.entered('concentrated')).toEqual([]);
    const [found] = shop.decisions.hot();
    expect(shop.heat.explain('waiting room').measured?.windows.ten.visitors).toBe(300);
    expect(found?.reason).toMatch(/ views\/s over 10 s, 2\d\d visitors in 10 s$/);
  });

  test('ends when the few heavy visitors leave, though many others come', () => {
    const shop = simulateShop();
    shop.pass(65, [{ item: 'scraped', perSecond: 60, visitors: 1 }]);
    shop.pass(75, [{ item: 'scraped', perSecond: 60 }]);
    expect(shop.decisions.isHot('scraped', 'concentrated')).toBe(false);
    expect(shop.decisions.isHot('scraped', 'busy')).toBe(true);
  });
});

describe('rules', () => {
  test('apply to their items', () => {
    const rules = compileRules([
      { name: 'low', items: ['small-*'], busy: { perSecond: 5 } },
      { name: 'never', items: ['never-*'], mayBeHot: false },
      { name: 'try', items: ['try-*'], dryRun: true },
    ]);
    const shop = simulateShop({ rules });
    const rates = { 'small-1': 8, 'never-1': 50, 'try-1': 50, other: 8 };
    shop.pass(
      15,
      Object.entries(rates).map(([item, perSecond]) => ({ item, perSecond })),
    );
    const hot = shop.decisions.hot().map(({ item, rule, dryRun }) => [item, rule, dryRun]);
    expect(hot).toEqual(
      expect.arrayContaining([
        ['small-1', 'low', false],
        ['try-1', 'try', true],
      ]),
    );
    expect(hot).toHaveLength(2);
  });

  test('that are replaced apply to tracked items within two seconds', () => {
    const shop = simulateShop();
    shop.pass(15, [{ item: 'small', perSecond: 8 }]);
    shop.heat.setRules(compileRules([{ name: 'low', busy: { perSecond: 5 } }]));
    shop.pass(2, [{ item: 'small', perSecond: 8 }]);
    expect(shop.entered('busy')).toContain('small');
    shop.heat.setRules(compileRules([{ name: 'never', items: ['small'], mayBeHot: false }]));
    expect(shop.decisions.isHot('small', 'busy')).toBe(false);
    shop.pass(40, [{ item: 'small', perSecond: 50 }]);
    expect(shop.decisions.isHot('small', 'busy')).toBe(false);
  });
});

describe('over a restart', () => {
  const wanted = { item: 'wanted', perSecond: 15 };

  test('usual rates are known: a rush is a surge at once, and a usual rate is none', () => {
    const before = simulateShop();
    before.pass(LEARNT_SECONDS, [{ item: 'usual', perSecond: 10 }]);
    const shop = simulateShop({ stored: { heat: before.heat.state(), now: before.now() + 60_000 } });
    shop.pass(20, [wanted, { item: 'usual', perSecond: 11 }]);
    expect(shop.entered('surge')).toEqual(['wanted']);
  });

  test.each([
    ['an hour old', 3_600_000],
    ['of a time to come', -1],
  ])('usual rates are learnt again if the stored ones are %s', (_, later) => {
    const { heat } = simulateLearntShop();
    const state = heat.state();
    const shop = simulateShop({ stored: { heat: state, now: state.at + later } });
    shop.pass(20, [wanted]);
    expect(shop.heat.stats().hasLearnt).toBe(false);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('a second one within the three minutes does not restart them', () => {
    const first = simulateShop();
    first.pass(120);
    const second = simulateShop({ stored: { heat: first.heat.state(), now: first.now() } });
    second.pass(61);
    expect(second.heat.stats().hasLearnt).toBe(true);
  });

  test('hot items stay hot while they are viewed, and leave when nobody views them', () => {
    const before = simulateShop();
    before.pass(15, [
      { item: 'sale', perSecond: 50 },
      { item: 'over', perSecond: 50 },
    ]);
    const shop = simulateShop({ stored: { decisions: before.decisions.state(), now: before.now() } });
    shop.pass(59, [{ item: 'sale', perSecond: 50 }]);
    expect(shop.changes).toEqual([]);
    shop.pass(3, [{ item: 'sale', perSecond: 50 }]);
    expect(shop.changes.map(({ item, change }) => [item, change])).toEqual([['over', 'leaves']]);
    shop.pass(65);
    expect(shop.decisions.hot()).toEqual([]);
  });

  test('the stored state is bounded, however many items were viewed', () => {
    const shop = simulateShop({ perSecond: 0, places: 64 });
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 20; k++) for (let often = 0; often < 40; often++) shop.viewOnce(`${i}-${k}`);
      shop.pass(4);
    }
    expect(shop.heat.stats().promoted).toBeGreaterThan(200);
    expect(shop.heat.state().items).toHaveLength(64);
  });
});

test('an item that was evicted and returns at its usual rate is no surge', () => {
  const shop = simulateShop({ perSecond: 10 });
  shop.pass(LEARNT_SECONDS, [{ item: 'usual', perSecond: 2 }]);
  shop.pass(330);
  expect(shop.heat.explain('usual').measured).toBeUndefined();
  shop.pass(20, [{ item: 'usual', perSecond: 2 }]);
  expect(shop.heat.explain('usual').measured?.baselinePerSecond).toBeGreaterThan(0.5);
  expect(shop.entered('surge')).toEqual([]);
});

describe('the report about one item', () => {
  test('says why it is not hot', () => {
    const shop = simulateShop({
      rules: compileRules([{ name: 'never', items: ['never'], mayBeHot: false }]),
    });
    shop.pass(12, [
      { item: 'small', perSecond: 8 },
      { item: 'never', perSecond: 30 },
    ]);
    expect(shop.heat.explain('small').why).toEqual([
      expect.stringMatching(/^not busy: [78](\.\d)? views\/s over 10 s, needs 20$/),
      'no surge: the baseline is known in 168 s',
      expect.stringMatching(/^no surge: /),
    ]);
    expect(shop.heat.explain('never').why).toContain('no signal makes it hot: rule never');
    expect(shop.heat.explain('nowhere').why).toEqual(['it has too few views to be tracked']);
    shop.decisions.setOverrides({ pins: [], bans: [{ item: 'small', reason: 'a test' }] }, shop.now());
    expect(shop.heat.explain('small').why).toContain('it is banned');
  });

  test('says that the cap holds it back', () => {
    const shop = simulateShop({ rules: compileRules([], { cap: 1 }) });
    shop.pass(12, [
      { item: 'first', perSecond: 50 },
      { item: 'second', perSecond: 40 },
    ]);
    expect(shop.heat.explain('second').why[0]).toMatch(
      /^the cap holds it back as busy: [34]\d(\.\d)? views\/s/,
    );
  });

  test('has the exact count of each window, however late its views come', () => {
    const view = fc.record({
      passes: fc.oneof(fc.nat(2), fc.nat(30), fc.nat(400)),
      item: fc.constantFrom('a', 'b', 'c'),
      lateMs: fc.oneof(fc.constant(0), fc.nat(3_000), fc.nat(310_000)),
      weight: fc.integer({ min: 1, max: 5 }),
      isBot: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(view, { maxLength: 60 }), (views) => {
        const shop = simulateShop({ perSecond: 0, items: 1, places: 64 });
        const exact: { item: string; time: number; weight: number }[] = [];
        /** The last view of an item that was not tracked then. */
        const first = new Map<string, { item: string; time: number; weight: number }>();
        for (const { passes, item, lateMs, weight, isBot } of views) {
          shop.pass(passes / 10);
          const isTracked = shop.heat.explain(item).measured !== undefined;
          const before = shop.heat.stats();
          shop.view({ item, perSecond: 0, weight, isBot, lateMs });
          const after = shop.heat.stats();
          const view = { item, time: shop.now() - lateMs, weight };
          const { measured } = shop.heat.explain(item);
          if (after.promoted > before.promoted) {
            exact.splice(0, exact.length, ...exact.filter((one) => one.item !== item));
            const known = first.get(item);
            // Known still, unless it was forgotten by a sweep: an item of one view more is tracked by that one and another.
            const counts = weight === 1 || (measured?.windows.fiveMinutes.views ?? 0) > weight;
            if (known !== undefined && counts) exact.push(known);
          }
          if (isTracked || after.promoted > before.promoted) exact.push(view);
          else if (after.late === before.late) first.set(item, view);
          if (measured === undefined) continue;
          for (const window of WINDOWS) {
            const [slotMs, slots] = SLOTS[window];
            const oldest = Math.floor(shop.now() / slotMs) - slots + 1;
            const expected = exact.filter(
              (one) => one.item === item && Math.floor(one.time / slotMs) >= oldest,
            );
            expect([window, measured.windows[window].views]).toEqual([
              window,
              expected.reduce((sum, one) => sum + one.weight, 0),
            ]);
          }
        }
      }),
      { numRuns: runs(100) },
    );
  });
});

test('the hottest items have distinct visitors, many times fewer than views', () => {
  const shop = simulateShop({ perSecond: 0 });
  shop.pass(75, [
    { item: 'waiting room', perSecond: 200, visitors: 400 },
    { item: 'other', perSecond: 10 },
  ]);
  const [first, second] = shop.heat.top(2, 'minute');
  expect([first?.item, second?.item]).toEqual(['waiting room', 'other']);
  expect(first?.views).toBeGreaterThan(11_000);
  expect(Math.abs((first?.visitors ?? 0) / 400 - 1)).toBeLessThan(0.1);
  expect(first?.isEstimated).toBe(true);
});

/** Items that are viewed once each, for twenty seconds, beside one that is hot. */
function simulateFlood(shop: ReturnType<typeof simulateShop>): number {
  let unique = 0;
  for (let second = 0; second < 20; second++) {
    shop.pass(1, [{ item: 'sale', perSecond: 50 }]);
    for (let i = 0; i < FLOOD_PER_SECOND; i++) shop.viewUnique(unique++);
  }
  return unique;
}

describe('views that are observed in a batch', () => {
  test('count like views that are observed one by one, each for its own item', () => {
    const random = createRandom(5);
    const views = Array.from({ length: 1_000 }, () => ({
      item: Math.floor(40 * random() ** 3),
      visitor: mix(Math.floor(60 * random())),
      weight: random() < 0.1 ? 7 : 1,
      isBot: random() < 0.2,
      time: START + Math.floor(900 * random()),
    }));
    let observed = 0;
    const alone = heatOf(() => `item ${views[observed]?.item}`);
    const together = heatOf((index) => `item ${views[index]?.item}`);
    for (const { item, visitor, weight, isBot, time } of views) {
      const [high, low] = wordsOf(item);
      alone.observe(high, low, visitor, weight, isBot, time);
      observed++;
    }
    together.observeAll(rowsOf(views));
    expect(together.top(50, 'ten')).toEqual(alone.top(50, 'ten'));
    expect(together.top(50, 'ten').length).toBeGreaterThan(20);
    expect(together.stats()).toEqual(alone.stats());
  });

  function heatOf(nameOf: (index: number) => string): Heat {
    const decisions = createDecisions({ rules: compileRules(), onChange() {} });
    const heat = createHeat({ now: START, nameOf, decisions });
    heat.advance(START + 1_000);
    return heat;
  }

  type View = { item: number; visitor: number; weight: number; isBot: boolean; time: number };

  function rowsOf(views: View[]): Views {
    const { words, times } = createRows(views.length);
    for (const [i, { item, visitor, weight, isBot, time }] of views.entries()) {
      words.set([...wordsOf(item), visitor, weight, isBot ? 1 : 0], i << ROW_BITS);
      times[i] = time;
    }
    return { length: views.length, words, times };
  }

  function wordsOf(item: number): [high: number, low: number] {
    return [mix(2 * item + 1), mix(~item)];
  }
});
