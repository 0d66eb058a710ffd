import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { AT_ONCE } from '../../../protect/budget.ts';
import { createKeeper, type Keeper } from '../../../protect/keeper.ts';
import { KEEPER_LOCATION } from '../../../protect/kept-address.ts';
import { PROTECT_METRICS } from '../../../protect/metrics.ts';
import type { Page } from '../../../protect/page.ts';
import { type Asked, NoAnswer } from '../../../protect/page-request.ts';
import { createMetrics } from '../../../service/metrics.ts';

const START = 1_795_355_710_000;
const STALE_MS = 10_000;
const TICK_MS = 50;
const PER_SECOND = 50;
/** What nginx tells the keeper that it did. */
const TOLD = { probe: 'probe ', fill: 'fill BYPASS', look: 'look HIT' };

let time: number;
let changes: number;
let asked: Asked[];
let running: number;
let most: number;
let keeper: Keeper;
/** What nginx answers. */
let status: number;
let isReachable: boolean;
let waitedMs: number;
/** How long an answer takes on the clock of the test, and those that are not there yet. */
let takesMs: number;
let unanswered: { at: number; answer: () => void }[];
let bytes: number;
let hasOldIncludes: boolean;
let hasIncludes: boolean;
/** Hosts whose server is closed for maintenance. */
let closed: string[];
/** Addresses that are not there. */
let missing: string[];
let body: () => string;
let headers: Record<string, string[]>;
let metrics: ReturnType<typeof createMetrics<typeof PROTECT_METRICS>>;

beforeEach(() => {
  time = START;
  [changes, running, most] = [0, 0, 0];
  asked = [];
  status = 200;
  isReachable = true;
  [hasOldIncludes, hasIncludes] = [false, true];
  [waitedMs, bytes, takesMs] = [10, 4, 0];
  [unanswered, missing, closed] = [[], [], []];
  body = () => 'page';
  headers = {};
  metrics = createMetrics(new Registry(), PROTECT_METRICS);
  keeper = createKeeper({
    hosts: ['shop.test', 'www.shop.test'],
    https: true,
    requests: { ask, close() {} },
    requestsPerSecond: PER_SECOND,
    refreshMs: 1_000,
    staleMs: STALE_MS,
    metrics,
    warn() {},
    now: () => time,
    onChange: () => changes++,
  });
});

describe('the keeper', () => {
  test('keeps a page that is the same for all, and refreshes it', async () => {
    follow('a');
    await pass(500);
    expect(keeper.allows('a')).toBe(true);
    expect(modes()).toEqual(['probe', 'probe', 'probe', 'fill', 'look']);
    asked.length = 0;
    await pass(3_000);
    expect(modes()).toEqual(['fill', 'fill', 'fill']);
  });

  test('a page whose origin was down for long is tried again after ten seconds, and then after twenty', async () => {
    follow('a');
    await pass(500);
    status = 503;
    await pass(STALE_MS + 2_000);
    expect(keeper.stateOf('a')).toMatchObject({
      state: 'refused',
      reason: 'cannot be refreshed: the origin answers 503',
    });
    const tries = await attempts(40_000);
    expect(tries).toHaveLength(2);
    const [first = 0, second = 0] = tries;
    expect((second - first) / 1_000).toBeCloseTo(20, 0);
  });

  test('a purge of all asks for a few at a time', async () => {
    const items = Array.from({ length: 20 }, (_, i) => `i${i}`);
    follow(...items);
    await pass(2_000);
    expect(items.every((item) => keeper.allows(item))).toBe(true);
    most = 0;
    asked.length = 0;
    const purged = await passWhile(keeper.purge(undefined));
    expect(purged).toHaveLength(20);
    expect(purged.every((one) => 'ageMs' in one && one.ageMs < 5_000)).toBe(true);
    expect(new Set(asked.map(({ target }) => target)).size).toBe(20);
    expect(most).toBeLessThanOrEqual(4);
  });

  test('two purges of one item follow each other', async () => {
    follow('a');
    await pass(500);
    asked.length = 0;
    most = 0;
    await Promise.all([keeper.purge('a'), keeper.purge('a')]);
    expect(modes()).toEqual(['fill', 'fill']);
    expect(most).toBe(1);
  });

  test('a purge says how old the page is, or why there is none', async () => {
    follow('a', 'b');
    await pass(500);
    expect(await keeper.purge('a')).toEqual([{ item: 'a', ageMs: 0 }]);
    status = 503;
    await expect(keeper.purge('a')).rejects.toThrow('the page of a: the origin answers 503');
    expect(await keeper.purge(undefined)).toEqual([
      { item: 'a', reason: 'the page of a: the origin answers 503' },
      { item: 'b', reason: 'the page of b: the origin answers 503' },
    ]);
    await expect(keeper.purge('c')).rejects.toThrow('no page of c is kept');
  });

  test('the page at another address of the item is compared before it is shared', async () => {
    follow('a');
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a');
    await pass(31_000);
    for (let i = 0; i < 16; i++) keeper.saw('a', 'www.shop.test', '/other/a');
    asked.length = 0;
    await pass(1_000);
    expect(asked.filter(({ mode }) => mode === 'probe' || mode === 'fill').map(addressOf)).toEqual([
      ...Array.from({ length: 3 }, () => 'probe www.shop.test/other/a'),
      'fill www.shop.test/other/a',
    ]);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://www.shop.test/other/a' });
  });

  test('the page at another address is not shared before it could be compared', async () => {
    follow('a');
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a');
    await pass(31_000);
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/other/a');
    status = 503;
    await pass(3_000);
    status = 200;
    asked.length = 0;
    await pass(2_000);
    expect(modes().slice(0, 5)).toEqual(['probe', 'probe', 'probe', 'fill', 'look']);
  });

  test('what shoppers add to an address is not asked for, and does not make it another one', async () => {
    keeper.follow(['a']);
    keeper.saw('a', 'shop.test', '/item/a?utm_source=mail');
    await pass(31_000);
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a?utm_content=evil');
    asked.length = 0;
    await pass(2_000);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://shop.test/item/a' });
    expect(new Set(modes())).toEqual(new Set(['fill']));
    expect(asked.filter(({ target }) => target !== '/item/a')).toHaveLength(1);
  });

  test('what is known of the query is found out again when the page is compared', async () => {
    keeper.follow(['a']);
    keeper.saw('a', 'shop.test', '/item/a?utm_source=mail');
    await pass(2_000);
    hasOldIncludes = true;
    await pass(31_000);
    expect(keeper.stateOf('a')).toMatchObject({
      state: 'refused',
      reason: 'nginx has includes of an earlier version: run hotitem nginx install',
    });
  });

  test('a page that is empty, as of an application that died, is dropped at once', async () => {
    follow('a');
    await pass(500);
    bytes = 0;
    body = () => '';
    await pass(1_100);
    expect(keeper.allows('a')).toBe(false);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'refused', reason: 'is empty' });
  });

  test('an nginx that was reloaded without the includes is noticed by the next request, and gets no more', async () => {
    const items = ['a', 'b', 'c', 'd', 'e', 'f'];
    follow(...items);
    await pass(3_000);
    expect(items.every(keeper.allows)).toBe(true);
    hasIncludes = false;
    asked.length = 0;
    await pass(20_000);
    expect(modes().length).toBeLessThanOrEqual(AT_ONCE);
    expect(items.some(keeper.allows)).toBe(false);
    expect(keeper.failure()).toMatch(/^the server of shop\.test does not know the keeper/);
    hasIncludes = true;
    await pass(60_000);
    expect(items.every(keeper.allows)).toBe(true);
  });

  test('a page whose location includes the cache no more is dropped by the next refresh', async () => {
    follow('a');
    await pass(500);
    headers = { 'x-hotitem-keeper': ['fill'] };
    await pass(1_100);
    expect(keeper.stateOf('a')).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('its location does not include cache.conf'),
    });
  });

  test('a page in which a token appears is dropped when it is compared next', async () => {
    follow('a');
    await pass(500);
    let token = 0;
    body = () => `token ${token++}`;
    await pass(31_000);
    expect(keeper.stateOf('a')).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/^differs from visitor to visitor at byte [67]$/),
      address: 'https://shop.test/item/a',
    });
    expect(metrics.of('protect_refused_total', { reason: 'differs' }).value()).toBe(1);
  });

  test('an item that nobody comes to waits, and so does one of other hosts alone', async () => {
    keeper.follow(['a', 'b']);
    for (let i = 0; i < 20; i++) keeper.saw('b', 'evil.test', '/item/b');
    await pass(1_000);
    expect([keeper.stateOf('a'), keeper.stateOf('b')]).toEqual([
      { state: 'waiting', reason: 'no shopper has come since it is hot' },
      { state: 'waiting', reason: 'no shopper came by a usable address of a host in protect.hosts' },
    ]);
    expect(modes()).toEqual([]);
  });

  test('after the sidecar was suspended, a page is compared again before it is shared', async () => {
    follow('a');
    await pass(500);
    time += STALE_MS + 1_000;
    asked.length = 0;
    changes = 0;
    keeper.tick();
    expect([keeper.allows('a'), changes]).toEqual([false, 1]);
    await pass(1_000);
    expect(modes().slice(0, 5)).toEqual(['probe', 'probe', 'probe', 'fill', 'look']);
    expect(keeper.allows('a')).toBe(true);
  });

  test('a clock that is set back stops no refresh', async () => {
    follow('a');
    await pass(500);
    time -= 3_600_000;
    asked.length = 0;
    await pass(3_000);
    expect(modes()).toContain('probe');
    expect(modes().filter((mode) => mode === 'fill').length).toBeGreaterThanOrEqual(2);
    expect(keeper.allows('a')).toBe(true);
  });

  test('where nginx is gone all pages are dropped, with the reason', async () => {
    follow('a', 'b', 'c');
    await pass(500);
    isReachable = false;
    await pass(32_000);
    expect(keeper.failure()).toBe('no answer from nginx (nginx.keeper): connect ECONNREFUSED');
    expect(['a', 'b', 'c'].some((item) => keeper.allows(item))).toBe(false);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'refused' });
  });

  test('that nginx is gone is said at once, and a restart of it drops no page', async () => {
    follow('a');
    await pass(500);
    isReachable = false;
    await pass(1_100);
    expect(keeper.failure()).toBe('no answer from nginx (nginx.keeper): connect ECONNREFUSED');
    expect(metrics.of('protect_reachable').value()).toBe(0);
    expect(keeper.allows('a')).toBe(true);
    isReachable = true;
    await pass(1_100);
    expect(keeper.failure()).toBeUndefined();
    expect(metrics.of('protect_reachable').value()).toBe(1);
    expect(keeper.stateOf('a')).toEqual(expect.not.objectContaining({ reason: expect.anything() }));
  });

  test('the server of one host that does not answer takes no page of another host with it', async () => {
    keeper.follow(['a', 'b']);
    keeper.saw('a', 'shop.test', '/item/a');
    keeper.saw('b', 'www.shop.test', '/item/b');
    await pass(500);
    expect([keeper.allows('a'), keeper.allows('b')]).toEqual([true, true]);
    closed = ['www.shop.test'];
    await pass(62_000);
    expect([keeper.allows('a'), keeper.allows('b')]).toEqual([true, false]);
    expect(keeper.failure()).toBe('the server of www.shop.test answers 503, not 200');
    expect(metrics.of('protect_reachable').value()).toBe(0);
    closed = [];
    await pass(62_000);
    expect([keeper.allows('a'), keeper.allows('b')]).toEqual([true, true]);
    expect(keeper.failure()).toBeUndefined();
  });

  test('a host that nginx never knew does not keep pages of the others from being kept', async () => {
    closed = ['www.shop.test'];
    follow('a');
    await pass(500);
    expect(keeper.allows('a')).toBe(true);
  });

  test('nginx that does not answer drops all in one change', async () => {
    follow('a', 'b', 'c');
    await pass(500);
    // Between two refreshes: only whether nginx answers is looked at.
    time += 30_000;
    isReachable = false;
    changes = 0;
    await pass(TICK_MS);
    expect(['a', 'b', 'c'].some((item) => keeper.allows(item))).toBe(false);
    expect(changes).toBe(1);
  });
});

describe('what others do first', () => {
  test('sixteen requests of other hosts do not keep the item of a shopper from being kept', async () => {
    keeper.follow(['a']);
    for (let i = 0; i < 16; i++) keeper.saw('a', 'evil.test', '/item/a');
    expect([keeper.wantsAny(), keeper.isWanted('a')]).toEqual([true, true]);
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a');
    await pass(1_000);
    expect(keeper.allows('a')).toBe(true);
  });

  test('sixteen requests by an address that is refused do not keep that of shoppers from being tried', async () => {
    missing = ['/item/a/none'];
    keeper.follow(['a']);
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a/none');
    await pass(1_000);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'refused', reason: 'answers 404' });
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a');
    await pass(11_000);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://shop.test/item/a' });
  });
});

test('who has a third of the views cannot hold an item at an address that is refused', async () => {
  missing = ['/item/a/none'];
  keeper.follow(['a']);
  const views = () => {
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', i % 3 === 0 ? '/item/a/none' : '/item/a');
  };
  for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', '/item/a/none');
  await pass(1_000);
  expect(keeper.stateOf('a')).toMatchObject({ state: 'refused' });
  views();
  await pass(11_000);
  views();
  await pass(60_000);
  expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://shop.test/item/a' });
});

test('an outage of the origin does not move an item to an address by which fewer come', async () => {
  keeper.follow(['a']);
  const addresses = new Set<string>();
  const views = () => {
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', i % 4 === 0 ? '/en/item/a' : '/item/a');
  };
  views();
  await pass(1_000);
  status = 503;
  for (let passed = 0; passed < 120_000; passed += 5_000) {
    views();
    asked.length = 0;
    await pass(5_000);
    for (const { mode, target } of asked) if (mode !== 'look') addresses.add(target);
  }
  status = 200;
  views();
  await pass(120_000);
  expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://shop.test/item/a' });
  expect([...addresses]).toEqual(['/item/a']);
});

test('what is refused is the address that was asked for, not one that was chosen meanwhile', async () => {
  missing = ['/item/a/none'];
  keeper.follow(['a']);
  await pass(1_000);
  takesMs = 500;
  keeper.saw('a', 'shop.test', '/item/a/none');
  await pass(100);
  expect(asked.map(({ target }) => target)).toContain('/item/a/none');
  for (let i = 0; i < 15; i++) keeper.saw('a', 'shop.test', '/item/a');
  await pass(1_000);
  expect(keeper.stateOf('a')).toMatchObject({
    state: 'refused',
    reason: 'answers 404',
    address: 'https://shop.test/item/a/none',
  });
  for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', i < 4 ? '/item/a/none' : '/item/a');
  await pass(15_000);
  expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://shop.test/item/a' });
});

describe('a page that was kept and is unfit now, and nginx still has', () => {
  const views = (target: string) => {
    for (let i = 0; i < 16; i++) keeper.saw('a', 'shop.test', target);
  };

  /** The item is not kept at its address any more, and shoppers come by another one. */
  async function refuseKept(): Promise<void> {
    keeper.follow(['a']);
    views('/item/a');
    await pass(500);
    expect(keeper.allows('a')).toBe(true);
    missing = ['/item/a'];
    await pass(1_500);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'refused', reason: 'answers 404' });
    views('/other/a');
  }

  /** The item is kept at its address, and then at the one by which shoppers come. */
  async function keepElsewhere(): Promise<void> {
    keeper.follow(['a']);
    views('/item/a');
    await pass(31_000);
    views('/other/a');
    await pass(1_500);
  }

  test('is not shown because the item is kept at another address', async () => {
    await refuseKept();
    const refusedAt = time;
    await expect(keeper.purge('a')).rejects.toThrow('the page of a is not kept: answers 404');
    while (!keeper.allows('a')) await pass(TICK_MS);
    expect(time - refusedAt).toBeGreaterThan(STALE_MS - 2_500);
    expect(keeper.stateOf('a')).toMatchObject({ address: 'https://shop.test/other/a' });
  });

  test('is kept again by a purge, at its address, where it was refused only because it changed while it was compared', async () => {
    keeper.follow(['a']);
    views('/item/a');
    await pass(31_000);
    views('/other/a');
    let pages = 0;
    body = () => `price ${Math.min(2, ++pages)}`;
    await pass(1_500);
    expect(keeper.stateOf('a')).toMatchObject({ reason: expect.stringContaining('differs') });
    views('/item/a?utm_source=mail');
    expect(await keeper.purge('a')).toEqual([{ item: 'a', ageMs: 0 }]);
    expect(keeper.allows('a')).toBe(true);
  });

  test('is purged, too, where shoppers come by another address since', async () => {
    await keepElsewhere();
    expect(keeper.stateOf('a')).toMatchObject({ state: 'kept', address: 'https://shop.test/other/a' });
    const filledOf = () => asked.flatMap(({ mode, target }) => (mode === 'fill' ? target : []));
    asked.length = 0;
    await passWhile(keeper.purge('a'));
    expect(filledOf()).toEqual(['/item/a', '/other/a']);
    await pass(STALE_MS);
    asked.length = 0;
    await passWhile(keeper.purge('a'));
    expect(new Set(filledOf())).toEqual(new Set(['/other/a']));
  });

  test('is dropped by a purge that cannot have it replaced', async () => {
    await keepElsewhere();
    missing = ['/item/a'];
    await expect(passWhile(keeper.purge('a'))).rejects.toThrow('the page of a is not kept: answers 404');
    expect(keeper.allows('a')).toBe(false);
  });

  test('is not shown because the item cooled and is hot again', async () => {
    await refuseKept();
    keeper.follow([]);
    keeper.follow(['a']);
    views('/other/a');
    await pass(2_000);
    expect(keeper.allows('a')).toBe(false);
    expect(keeper.stateOf('a')).toMatchObject({
      state: 'waiting',
      reason: expect.stringContaining('nginx still has the page at its former address'),
    });
    await pass(STALE_MS);
    expect(keeper.allows('a')).toBe(true);
  });
});

describe('when nothing is hot any more', () => {
  test('whether nginx answers is not known: it is not asked', async () => {
    const reachable = () => metrics.of('protect_reachable').value();
    expect(reachable()).toBeNaN();
    follow('a');
    await pass(1_000);
    expect(reachable()).toBe(1);
    keeper.follow([]);
    expect(reachable()).toBeNaN();
  });

  test('the origin is not said to be slow for ever', async () => {
    await slowDown();
    keeper.follow([]);
    await pass(11_000);
    expect(metrics.of('protect_slow_origin').value()).toBe(0);
  });

  test('that nginx could not be reached is no failure', async () => {
    follow('a');
    await pass(500);
    isReachable = false;
    await pass(32_000);
    expect(keeper.failure()).toBe('no answer from nginx (nginx.keeper): connect ECONNREFUSED');
    keeper.follow([]);
    expect(keeper.failure()).toBeUndefined();
  });

  test.each([
    ['nothing', []],
    ['another item', ['b']],
  ])('purges that wait for the budget end without a request while %s is hot', async (_, next) => {
    follow('a');
    await pass(500);
    const ends = Promise.allSettled(Array.from({ length: 2 * PER_SECOND }, () => keeper.purge('a')));
    for (let i = 0; i < 1_000; i++) await Promise.resolve();
    keeper.follow(next);
    asked.length = 0;
    const cooled = expect.objectContaining({ message: 'no page of a is kept: it has cooled' });
    expect((await passWhile(ends)).at(-1)).toEqual({ status: 'rejected', reason: cooled });
    expect(modes()).toEqual([]);
  });

  test.each([
    ['nothing', []],
    ['another item', ['b']],
  ])('a page that is looked at is not asked for further while %s is hot', async (_, next) => {
    takesMs = 100;
    follow('a');
    while (modes().length === 0) await pass(TICK_MS);
    keeper.follow(next);
    await pass(2_000);
    expect(modes()).toEqual(['probe']);
    expect(asked.every(({ word }) => word !== '')).toBe(true);
    expect(metrics.of('protect_failures_total').value()).toBe(0);
  });

  test('whether nginx answers is not tried further, and is no failure', async () => {
    takesMs = 100;
    follow('a');
    await pass(TICK_MS);
    expect(asked).toHaveLength(1);
    keeper.follow([]);
    await pass(2_000);
    expect(asked).toHaveLength(1);
    keeper.follow(['b']);
    expect(keeper.failure()).toBeUndefined();
  });
});

describe('a keeper that closes', () => {
  test('does so with an empty budget, and ends purges: none of a page that was not asked for is done', async () => {
    const items = Array.from({ length: 60 }, (_, i) => `i${i}`);
    follow(...items);
    await pass(8_000);
    takesMs = 100;
    asked.length = 0;
    const purge = keeper.purge(undefined);
    for (let i = 0; i < 100; i++) await Promise.resolve();
    const closed = keeper.close();
    const purged = await passWhile(purge);
    await passWhile(closed);
    const stops = expect.stringMatching(/: the sidecar stops$/);
    expect(purged.filter((one) => 'ageMs' in one)).toEqual([]);
    expect(purged.at(-1)).toMatchObject({ reason: stops });
    expect(modes().length).toBeLessThanOrEqual(4);
  });
});

describe('a thousand hot items', () => {
  const ITEMS = Array.from({ length: 1_000 }, (_, i) => `i${i}`);

  test('are asked for as often as the budget says; those that are kept stay fresh, the others wait', async () => {
    follow(...ITEMS);
    await pass(30_000);
    const kept = ITEMS.filter(keeper.allows);
    expect(kept.length).toBeGreaterThan(2 * PER_SECOND);
    asked.length = 0;
    let [oldest, dropped] = [0, 0];
    for (let second = 0; second < 30; second++) {
      await pass(1_000);
      oldest = Math.max(oldest, ...kept.map(ageOf));
      dropped += kept.filter((item) => !keeper.allows(item)).length;
    }
    expect(asked.length).toBeLessThanOrEqual(31 * PER_SECOND + 4);
    expect(dropped).toBe(0);
    expect(oldest).toBeLessThan(STALE_MS);
    const waiting = ITEMS.filter((item) => keeper.stateOf(item)?.state === 'waiting');
    expect(waiting.length).toBeGreaterThan(500);
    expect(keeper.stateOf(waiting.at(-1) ?? '')).toEqual({
      state: 'waiting',
      reason: 'other pages come first: protect.max_requests_per_second',
    });
  });

  test('of an origin that becomes slow are kept as many as it can refresh, and these stay kept', async () => {
    follow(...ITEMS);
    await pass(20_000);
    takesMs = 100;
    await pass(60_000);
    const kept = ITEMS.filter(keeper.allows);
    expect(kept.length).toBeGreaterThan(40);
    const before = metrics.of('protect_dropped_total').value();
    await pass(30_000);
    expect(metrics.of('protect_dropped_total').value() - before).toBeLessThan(10);
    expect(ITEMS.filter(keeper.allows).length).toBeGreaterThan(40);
  });

  test('that all set cookies are asked for less and less', async () => {
    headers = { 'set-cookie': ['session=1'] };
    follow(...ITEMS);
    await pass(120_000);
    asked.length = 0;
    await pass(60_000);
    // One request a page is enough for that.
    expect(modes().length).toBeLessThan(2 * ITEMS.length);
  });
});

describe('while the origin is twice as slow as usual', () => {
  beforeEach(slowDown);

  test('pages stay kept and are refreshed as seldom as that allows, and compared as often as before', async () => {
    expect(keeper.stateOf('a')).toMatchObject({
      state: 'kept',
      reason: 'the origin is slow: refreshed every 5 s',
    });
    asked.length = 0;
    await pass(60_000);
    const fills = modes().filter((mode) => mode === 'fill').length;
    expect(fills).toBeGreaterThanOrEqual(3 * 10);
    expect(fills).toBeLessThanOrEqual(3 * 14);
    expect(modes().filter((mode) => mode === 'probe').length).toBeGreaterThanOrEqual(2 * 3);
    expect(['a', 'b', 'c'].every(keeper.allows)).toBe(true);
  });

  test('one new item is looked at at a time', async () => {
    const isNew = (target: string) => target.startsWith('/item/new');
    const news = Array.from({ length: 8 }, (_, i) => `new${i}`);
    follow('a', 'b', 'c', ...news);
    asked.length = 0;
    await pass(2_000);
    const order = asked.filter(({ target }) => isNew(target)).map(({ target }) => target);
    expect(new Set(order).size).toBe(8);
    // All requests of one before those of the next.
    expect(order).toEqual(news.flatMap((item) => Array.from({ length: 5 }, () => `/item/${item}`)));
  });

  test('a purge is done at once', async () => {
    asked.length = 0;
    expect(await keeper.purge('a')).toEqual([{ item: 'a', ageMs: 0 }]);
    expect(modes()).toEqual(['fill']);
  });

  test('all is as before ten seconds after it is as fast as usual', async () => {
    waitedMs = 10;
    await pass(20_000);
    expect(metrics.of('protect_slow_origin').value()).toBe(0);
    asked.length = 0;
    await pass(10_000);
    expect(modes().filter((mode) => mode === 'fill').length).toBeGreaterThanOrEqual(27);
  });
});

function ageOf(item: string): number {
  const state = keeper.stateOf(item);
  return state?.state === 'kept' ? time - state.refreshedAt : 0;
}

function addressOf({ mode, host, target }: Asked): string {
  return `${mode} ${host}${target}`;
}

/** Time goes by until it is settled. */
async function passWhile<T>(work: Promise<T>): Promise<T> {
  let isDone = false;
  const settled = work.finally(() => {
    isDone = true;
  });
  while (!isDone) await pass(TICK_MS);
  return settled;
}

function follow(...items: string[]): void {
  keeper.follow(items);
  for (const item of items) keeper.saw(item, 'shop.test', `/item/${item}`);
}

/** Time goes by in ticks, each with all that its requests lead to. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    time += TICK_MS;
    const answered = unanswered.filter(({ at }) => at <= time);
    unanswered = unanswered.filter(({ at }) => at > time);
    for (const { answer } of answered) answer();
    keeper.tick();
    for (let i = 0; i < 60; i++) await Promise.resolve();
  }
}

/** When the page was asked for anew. */
async function attempts(ms: number): Promise<number[]> {
  const times: number[] = [];
  for (let passed = 0; passed < ms; passed += 1_000) {
    asked.length = 0;
    await pass(1_000);
    if (modes().includes('probe')) times.push(time);
  }
  return times;
}

function modes(): string[] {
  return asked.filter((one) => !isOfKeeper(one)).map(({ mode }) => mode);
}

async function ask(one: Asked): Promise<Page> {
  asked.push(one);
  most = Math.max(most, ++running);
  const at = time + takesMs;
  await (takesMs === 0
    ? Promise.resolve()
    : new Promise<void>((answer) => {
        unanswered.push({ at, answer });
      }));
  running--;
  if (!isReachable) throw new NoAnswer(new Error('connect ECONNREFUSED'));
  const told = hasIncludes ? { 'x-hotitem-keeper': [TOLD[one.mode]] } : {};
  const isOfPage = !isOfKeeper(one);
  return {
    status: statusOf(one),
    headers: new Map(Object.entries({ ...told, ...headers })),
    body: Buffer.from(isOfPage ? body() : ofItself(one.target)),
    bytes,
    isWhole: true,
    waitedMs,
  };
}

function statusOf(one: Asked): number {
  if (closed.includes(one.host)) return 503;
  if (missing.includes(one.target)) return 404;
  if (!isOfKeeper(one)) return status;
  return one.word === '' || !hasIncludes ? 404 : 200;
}

function isOfKeeper({ target }: Asked): boolean {
  return target.startsWith(KEEPER_LOCATION);
}

/** As the includes of nginx do, with the tracking.conf that is shipped. */
function ofItself(target: string): string {
  const query = target.slice(KEEPER_LOCATION.length);
  return hasOldIncludes
    ? 'https://shop.test\n'
    : `https://shop.test\n${/^(\?utm_.*)?$/.test(query) ? '?' : ''}\n`;
}

async function slowDown(): Promise<void> {
  follow('a', 'b', 'c');
  await pass(20_000);
  waitedMs = 100;
  await pass(5_000);
  expect(metrics.of('protect_slow_origin').value()).toBe(1);
}
