import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createKeeper, type Keeper } from '../../../protect/keeper.ts';
import { PROTECT_METRICS } from '../../../protect/metrics.ts';
import type { Page } from '../../../protect/page.ts';
import type { Asked } from '../../../protect/page-request.ts';
import { createMetrics } from '../../../service/metrics.ts';

const START = 1_795_355_710_000;
const STALE_MS = 10_000;
const TICK_MS = 50;

let time: number;
let changes: number;
let asked: Asked[];
let running: number;
let most: number;
let keeper: Keeper;
/** What nginx answers. */
let status: number;
let isReachable: boolean;

beforeEach(() => {
  time = START;
  [changes, running, most] = [0, 0, 0];
  asked = [];
  status = 200;
  isReachable = true;
  keeper = createKeeper({
    hosts: ['shop.test'],
    requests: { ask, close() {} },
    refreshMs: 1_000,
    staleMs: STALE_MS,
    metrics: createMetrics(new Registry(), PROTECT_METRICS),
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
    await keeper.purge(undefined);
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

  test('where nginx is gone all pages are dropped, with the reason', async () => {
    follow('a', 'b', 'c');
    await pass(500);
    isReachable = false;
    await pass(32_000);
    expect(keeper.failure()).toBe('connect ECONNREFUSED');
    expect(['a', 'b', 'c'].some((item) => keeper.allows(item))).toBe(false);
    expect(keeper.stateOf('a')).toMatchObject({ state: 'refused' });
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

function follow(...items: string[]): void {
  keeper.follow(items);
  for (const item of items) keeper.saw(item, `/item/${item}`);
}

/** Time goes by in ticks, each with all that its requests lead to. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    time += TICK_MS;
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
  return asked.filter(({ target }) => target !== '/_hotitem/keeper').map(({ mode }) => mode);
}

async function ask(one: Asked): Promise<Page> {
  asked.push(one);
  most = Math.max(most, ++running);
  await Promise.resolve();
  running--;
  if (!isReachable) throw new Error('connect ECONNREFUSED');
  const headers = new Map(one.mode === 'look' ? [['x-hotitem-keeper', ['look HIT']]] : []);
  const isOfPage = one.target !== '/_hotitem/keeper';
  return { status: isOfPage ? status : 200, headers, body: Buffer.from('page'), bytes: 4, isWhole: true };
}
