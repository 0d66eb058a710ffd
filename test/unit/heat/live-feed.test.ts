import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { LiveChange, LiveItem, LiveSnapshot } from '../../../heat/live.ts';
import { createLiveFeed, type LiveFeed, MOST_CLIENTS } from '../../../heat/live-feed.ts';
import { applyChange } from '../../../page/live-state.ts';
import type { Reply, Stream } from '../../../service/admin/admin.ts';

const EVERY_MS = 500;
const POINTS = 60;

let state: LiveSnapshot;
let asked: number;
let feed: LiveFeed;

beforeEach(() => {
  jest.useFakeTimers();
  state = snapshot(100, [item('a', 100)]);
  asked = 0;
  feed = createLiveFeed(() => {
    asked++;
    return state;
  });
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

  test('a client that does not read is let go', () => {
    const client = connect({ reads: false });
    expect([client.take().length, feed.clients()]).toEqual([1, 0]);
  });

  test('there is a limit of clients', () => {
    for (let i = 0; i < MOST_CLIENTS; i++) connect();
    expect(feed.route(new URL('http://host/'), new AbortController().signal)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '10' },
    });
  });

  test('whatever happens, a client knows what is so', () => {
    const step = fc.record({
      passed: fc.constantFrom(0, 0, 1, 1, 2, 7),
      items: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }),
      views: fc.integer({ min: 0, max: 50 }),
      tracked: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        feed.close();
        state = snapshot(100, []);
        const client = connect();
        let five = 100;
        for (const { passed, items, views, tracked } of steps) {
          five += passed;
          state = snapshot(
            five,
            items.map((name) => item(name, five, tracked ? views : 0, tracked)),
          );
          jest.advanceTimersByTime(EVERY_MS);
          expect(client.known()).toEqual(state);
        }
        client.leave();
      }),
    );
  });
});

function connect({ reads = true } = {}) {
  const gone = new AbortController();
  const events: [string, unknown][] = [];
  let known: LiveSnapshot | undefined;
  const route = feed.route(new URL('http://host/'), gone.signal) as Stream | Reply;
  if (!('open' in route)) throw new Error(String(route.body));
  route.open((text) => {
    const [, name = '', data = ''] = /event: (\w+)\ndata: (.*)\n\n$/.exec(text) ?? [];
    const value = JSON.parse(data);
    events.push([name, value]);
    if (name === 'snapshot') known = value as LiveSnapshot;
    else if (known !== undefined) known = applyChange(known, value as LiveChange);
    return reads;
  }, gone.signal);
  return {
    take: () => events.splice(0),
    /** As the page has it; the order of items is not told. */
    known: () => known && { ...known, items: known.items.toSorted((a, b) => (a.item < b.item ? -1 : 1)) },
    leave: () => gone.abort(),
  };
}

function snapshot(five: number, items: LiveItem[]): LiveSnapshot {
  const head = {
    node: 'web-1',
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
    baseline: 0,
    decisions: [since],
    series,
  };
}
