import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { LiveChange, LiveItem, LivePage, LiveSnapshot } from '../../../heat/live.ts';
import {
  createLiveFeed,
  type LiveFeed,
  MOST_CLIENTS,
  MOST_OF_HOST,
  MOST_PER_ADDRESS,
} from '../../../heat/live-feed.ts';
import { applyChange } from '../../../page/live-state.ts';
import type { Reply, Stream } from '../../../service/admin/admin.ts';

const EVERY_MS = 500;
const POINTS = 60;

let state: LiveSnapshot;
let asked: number;
let feed: LiveFeed;
let ended: string[];
let failed: unknown[];
let isBroken: boolean;

beforeEach(() => {
  jest.useFakeTimers();
  state = snapshot(100, [item('a', 100)]);
  asked = 0;
  [ended, failed] = [[], []];
  isBroken = false;
  feed = createLiveFeed(
    () => {
      asked++;
      if (isBroken) throw new Error('broken');
      return state;
    },
    (why) => ended.push(why),
    (error) => failed.push(error),
  );
});
afterEach(() => {
  feed.close();
  jest.useRealTimers();
});

describe('the stream of the live page', () => {
  test('a client gets everything, and then what changed', () => {
    const client = connect();
    expect(client.take()).toEqual([['snapshot', state]]);
    const b = item('b', 100);
    state = snapshot(100, [...state.items, b]);
    jest.advanceTimersByTime(EVERY_MS);
    expect(client.take()).toEqual([['change', { head: state.head, items: [b], gone: [] }]]);
    state = snapshot(100, [b]);
    jest.advanceTimersByTime(EVERY_MS);
    expect(client.take()).toEqual([['change', { head: state.head, items: [], gone: ['a'] }]]);
  });

  test('what seldom changes is sent only where it has changed', () => {
    const client = connect();
    client.take();
    state = snapshot(100, [item('a', 100, 2)]);
    jest.advanceTimersByTime(EVERY_MS);
    const { ten, minute } = item('a', 100, 2);
    const tail = { all: [8, 2], people: [8, 2] };
    expect(itemsOf(client.take())).toEqual([{ item: 'a', ten, minute, tail }]);
    state = snapshot(100, [{ ...item('a', 100, 2), problem: 'no page' }]);
    jest.advanceTimersByTime(EVERY_MS);
    const { decisions } = item('a', 100);
    expect(itemsOf(client.take())).toEqual([
      { item: 'a', ten, minute, tail, facts: { decisions, problem: 'no page' } },
    ]);
    jest.advanceTimersByTime(EVERY_MS);
    expect(itemsOf(client.take())).toEqual([]);
  });

  test('nothing is counted while nobody is there, and once for all who are', () => {
    jest.advanceTimersByTime(10 * EVERY_MS);
    expect(asked).toBe(0);
    const clients = [connect(), connect(), connect()];
    expect(asked).toBe(1);
    jest.advanceTimersByTime(EVERY_MS);
    expect(asked).toBe(2);
    for (const client of clients) client.leave();
    jest.advanceTimersByTime(10 * EVERY_MS);
    expect([asked, feed.clients()]).toEqual([2, 0]);
  });

  test('one that comes later knows what the others know', () => {
    connect();
    state = snapshot(100, [item('b', 100)]);
    const late = connect();
    jest.advanceTimersByTime(EVERY_MS);
    expect(late.known()).toEqual(state);
  });

  test('ends where nothing can be shown, and does not throw', () => {
    connect();
    isBroken = true;
    jest.advanceTimersByTime(EVERY_MS);
    expect([feed.clients(), ended, failed.map(String)]).toEqual([0, ['failure'], ['Error: broken']]);
    isBroken = false;
    expect(connect().take()).toEqual([['snapshot', state]]);
  });

  test('a client that does not read is let go', () => {
    const client = connect({ reads: false });
    expect([client.take().length, feed.clients(), ended]).toEqual([1, 0, ['slow']]);
  });

  test.each([
    ['of one address', MOST_PER_ADDRESS, () => '203.0.113.7', '198.51.100.1'],
    ['on this host', MOST_OF_HOST, () => '127.0.0.1', '198.51.100.1'],
    ['in all', MOST_CLIENTS, (i: number) => `198.51.100.${i}`, undefined],
  ])('there is a limit of clients %s, and one that leaves makes room', (_, most, addressOf, other) => {
    const clients = Array.from({ length: most }, (_, i) => connect({ from: addressOf(i) }));
    expect(ask(addressOf(0))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '10' },
      refused: 'streams',
    });
    if (other !== undefined) expect(ask(other)).toHaveProperty('open');
    clients[0]?.leave();
    expect(ask(addressOf(0))).toHaveProperty('open');
  });

  test('a client hears something twice a second, and comes again after 15 minutes', () => {
    const client = connect();
    jest.advanceTimersByTime(15 * 60_000 - EVERY_MS);
    expect([client.take().length, client.isEnded(), feed.clients()]).toEqual([1_800, false, 1]);
    const late = connect();
    jest.advanceTimersByTime(EVERY_MS);
    expect([client.take(), client.isEnded()]).toEqual([[['again', undefined]], true]);
    expect([late.isEnded(), feed.clients(), ended]).toEqual([false, 1, ['time']]);
  });

  test('clients that come at once have the same bytes', () => {
    const bytes: Buffer[] = [];
    for (let i = 0; i < 3; i++) {
      const stream = ask('127.0.0.1');
      if (!('open' in stream)) throw new Error('refused');
      const client = { write: (some: Buffer) => bytes.push(some) > 0, end: () => {} };
      stream.open(client, new AbortController().signal);
    }
    jest.advanceTimersByTime(EVERY_MS);
    expect([bytes.length, new Set(bytes).size]).toEqual([6, 2]);
  });

  test('whatever happens, a client knows what is so', () => {
    const step = fc.record({
      passed: fc.constantFrom(0, 0, 1, 1, 2, 7),
      items: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }),
      views: fc.integer({ min: 0, max: 50 }),
      tracked: fc.boolean(),
      rest: fc.record(
        {
          problem: fc.constant('no page'),
          page: fc.constantFrom<LivePage>({ state: 'waiting' }, { state: 'kept', refreshedAt: 1 }),
          catalogue: fc.constantFrom({ name: 'A shoe' }, { name: 'A hat', stock: 1 }),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        feed.close();
        state = snapshot(100, []);
        const client = connect();
        let five = 100;
        for (const { passed, items, views, tracked, rest } of steps) {
          five += passed;
          state = snapshot(
            five,
            items.map((name) => ({ ...item(name, five, tracked ? views : 0, tracked), ...rest })),
          );
          jest.advanceTimersByTime(EVERY_MS);
          expect(client.known()).toEqual(state);
        }
        client.leave();
      }),
    );
  });
});

function ask(from: string): Stream | Reply {
  return feed.route(new URL('http://host/'), new AbortController().signal, from) as Stream | Reply;
}

function connect({ reads = true, from = '127.0.0.1' } = {}) {
  const gone = new AbortController();
  const events: [string, unknown][] = [];
  let known: LiveSnapshot | undefined;
  let isEnded = false;
  const route = ask(from);
  if (!('open' in route)) throw new Error(String(route.body));
  route.open({ write, end: () => (isEnded = true) }, gone.signal);
  return {
    take: () => events.splice(0),
    /** What the page knows. The order of items is not sent, so they are sorted here. */
    known: () => known && { ...known, items: known.items.toSorted((a, b) => (a.item < b.item ? -1 : 1)) },
    isEnded: () => isEnded,
    leave: () => gone.abort(),
  };

  function write(bytes: Buffer): boolean {
    const [, name = '', data = ''] = /event: (\w+)\ndata: ?(.*)\n\n$/.exec(String(bytes)) ?? [];
    const value = data === '' ? undefined : JSON.parse(data);
    events.push([name, value]);
    if (name === 'snapshot') known = value as LiveSnapshot;
    else if (known !== undefined && name === 'change') known = applyChange(known, value as LiveChange);
    return reads;
  }
}

/** The items of the only event. */
function itemsOf([event, ...more]: [string, unknown][]): unknown {
  expect(more).toEqual([]);
  return event === undefined ? undefined : (event[1] as LiveChange).items;
}

function snapshot(five: number, items: LiveItem[]): LiveSnapshot {
  const head = {
    node: 'web-1',
    build: 'a',
    now: 1_000 * five,
    five,
    shop: { all: 9, people: 8 },
    cap: 100,
    held: 0,
    rulesProblems: 0,
  };
  return { head, items: items.toSorted((a, b) => (a.item < b.item ? -1 : 1)), happened: [] };
}

/** What was counted in each five seconds is always the same: only the last of them grows. */
function item(name: string, five: number, views = 1, isTracked = true): LiveItem {
  const counts = Array.from({ length: POINTS }, (_, i) =>
    i === POINTS - 1 ? views : (five - POINTS + i) % 10,
  );
  const series = isTracked ? { all: counts, people: counts } : { all: [], people: [] };
  const since = {
    signal: 'busy' as const,
    since: 1,
    reason: 'r',
    rule: 'default',
    actions: [],
    dryRun: false,
  };
  return {
    item: name,
    ten: { all: views, people: views, visitors: 1 },
    minute: { all: views, people: views },
    decisions: [since],
    series,
  };
}
