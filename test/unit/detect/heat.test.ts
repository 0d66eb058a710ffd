import { describe, expect, test } from '@jest/globals';
import { DEFAULT_RULE } from '../../../detect/rules.ts';
import { START, simulateShop } from './simulated-shop.ts';

const HOUR_MS = 3_600_000;
/** Longer than what is usual takes to be known. */
const LEARNT = 240;

describe('busy', () => {
  test('is an item from 20 views/s over ten seconds on, whoever views it, with the numbers in its reason', () => {
    const shop = simulateShop();
    shop.pass(12, [{ item: 'scraped', perSecond: 30, visitors: 1, isBot: true }]);
    expect(shop.entered('busy')).toEqual(['scraped']);
    expect(shop.decisions.hot()[0]?.reason).toMatch(/^2\d(\.\d)? views\/s over 10 s, 0 visitors in 10 s$/);
  });

  test('is no item below that', () => {
    const shop = simulateShop();
    shop.pass(60, [{ item: 'nearly', perSecond: 19 }]);
    expect(shop.entered('busy')).toEqual([]);
  });

  test('ends below five views a second over a minute, after its dwell', () => {
    const shop = simulateShop();
    shop.pass(70, [{ item: 'sale', perSecond: 50 }]);
    shop.pass(45, [{ item: 'sale', perSecond: 6 }]);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
    shop.pass(61);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(false);
  });
});

describe('a surge', () => {
  test('500 visitors at one view a second each make one, within a second', () => {
    const shop = simulateShop();
    shop.pass(LEARNT);
    const began = shop.now();
    shop.pass(20, [{ item: 'wanted', perSecond: 500, visitors: 500 }]);
    expect(shop.entered('surge')).toEqual(['wanted']);
    const [surge] = shop.changes.filter(({ signal }) => signal === 'surge');
    expect((surge?.since ?? 0) - began).toBeLessThanOrEqual(1_000);
    expect(surge?.reason).toMatch(/visitors in 1 s, [\d,]+ × its baseline of /);
  });

  test.each([
    ['one scraper', { perSecond: 500, visitors: 1 }],
    ['a bot from many addresses', { perSecond: 500, isBot: true }],
    ['two thousand shoppers behind one address with thirty browsers', { perSecond: 100, visitors: 30 }],
  ])('%s never makes one', (_, stream) => {
    const shop = simulateShop({ perSecond: 1_000 });
    shop.pass(LEARNT);
    // The thirty are not all new in one second.
    shop.pass(15, [{ item: 'scraped', ...stream, perSecond: 3 }]);
    shop.pass(60, [{ item: 'scraped', ...stream }]);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('a shop that wakes up in ten seconds has none: everything is wanted more', () => {
    const shop = simulateShop({ perSecond: 40 });
    shop.pass(900);
    const awake = Array.from({ length: 200 }, (_, i) => ({ item: `item-${i + 1}`, perSecond: 32 / (i + 1) }));
    shop.pass(120, awake);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('there is none in the first three minutes, when nothing is known of what is usual', () => {
    const shop = simulateShop();
    shop.pass(170, [{ item: 'wanted', perSecond: 15 }]);
    expect(shop.entered('surge')).toEqual([]);
  });

  test('ends when it has become usual, not before its dwell', () => {
    const shop = simulateShop();
    shop.pass(LEARNT);
    shop.pass(10, [{ item: 'wanted', perSecond: 15 }]);
    expect(shop.decisions.isHot('wanted', 'surge')).toBe(true);
    shop.pass(45);
    expect(shop.decisions.isHot('wanted', 'surge')).toBe(true);
    shop.pass(60);
    expect(shop.decisions.isHot('wanted', 'surge')).toBe(false);
  });
});

describe('what must not heat', () => {
  test('an old spill heats nothing, and is counted', () => {
    const shop = simulateShop();
    shop.pass(LEARNT);
    shop.pass(20, [{ item: 'spilled', perSecond: 1_000, lateMs: 600_000 }]);
    expect(shop.changes).toEqual([]);
    expect(shop.heat.stats().late).toBe(20_000);
  });

  test('a spill of the last minutes heats nothing that is not hot now', () => {
    const shop = simulateShop();
    shop.pass(LEARNT);
    shop.pass(20, [{ item: 'spilled', perSecond: 1_000, lateMs: 90_000 }]);
    expect(shop.changes).toEqual([]);
  });

  test('a view from more than two seconds ahead is counted and heats nothing', () => {
    const shop = simulateShop();
    shop.pass(20, [{ item: 'ahead', perSecond: 100, lateMs: -5_000 }]);
    expect(shop.changes).toEqual([]);
    expect(shop.heat.stats().late).toBe(2_000);
  });

  test('a flood of a million URLs of their own neither drives out a hot item nor grows the tables', () => {
    const shop = simulateShop({ perSecond: 0 });
    shop.pass(15, [{ item: 'sale', perSecond: 50 }]);
    const before = shop.heat.stats();
    const flooded = simulateFlood(shop);
    expect(flooded).toBe(1_000_000);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
    expect(shop.heat.stats().bytes).toBe(before.bytes);
    expect(shop.heat.stats().tracked).toBe(before.tracked);
  });
});

describe('the clock', () => {
  test.each([
    ['an hour back', -HOUR_MS],
    ['an hour forward', HOUR_MS],
    ['a day back', -24 * HOUR_MS],
  ])('set %s makes no false decision: nothing enters, and nothing that is hot leaves', (_, step) => {
    const shop = simulateShop();
    shop.pass(LEARNT, [{ item: 'sale', perSecond: 50 }]);
    const before = shop.changes.length;
    shop.setClock(shop.now() + step);
    shop.pass(120, [{ item: 'sale', perSecond: 50 }]);
    expect(shop.changes.slice(before)).toEqual([]);
    expect(shop.decisions.isHot('sale', 'busy')).toBe(true);
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
  sampled.pass(LEARNT);
  sampled.pass(40, [
    { item: 'wanted', perSecond: 50, weight: 10 },
    { item: 'new', perSecond: 2, weight: 10 },
  ]);
  const whole = simulateShop();
  whole.pass(LEARNT);
  whole.pass(40, [
    { item: 'wanted', perSecond: 500 },
    { item: 'new', perSecond: 20 },
  ]);
  for (const signal of ['busy', 'surge'] as const)
    expect(sampled.entered(signal)).toEqual(whole.entered(signal));
  expect(whole.entered('surge')).toEqual(['wanted', 'new']);
});

test('nothing leaves and enters again within its dwell, however its views come and go', () => {
  const shop = simulateShop({ perSecond: 20 });
  for (let i = 0; i < 40; i++) {
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

/** Items that are viewed once each, for twenty seconds, beside one that is hot. */
function simulateFlood(shop: ReturnType<typeof simulateShop>): number {
  let unique = 0;
  for (let second = 0; second < 20; second++) {
    shop.pass(1, [{ item: 'sale', perSecond: 50 }]);
    for (let i = 0; i < 50_000; i++) shop.viewOnce(`unique-${unique++}`);
  }
  return unique;
}
