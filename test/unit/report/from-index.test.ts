import { describe, expect, test } from '@jest/globals';
import { fromIndex } from '../../../report/from-index.ts';
import type { PastDecision } from '../../../store/event-questions.ts';
import type { AskableQuestions } from '../../../store/question-shapes.ts';

const FROM = 1_800_000_000_000;
const MINUTE = 60_000;
const TO = FROM + 60 * MINUTE;
const NOTHING = { bots: 0, prefetches: 0, others: 0 };

function decision(fields: Partial<PastDecision>): PastDecision {
  return {
    time: FROM,
    node: 'web-1',
    item: 'a',
    change: 'enters',
    signal: 'busy',
    reason: 'because',
    since: fields.time ?? FROM,
    rule: 'default',
    actions: ['cache'],
    ...fields,
  };
}

/** An index in which every item has a view a second by people, and another by bots. Decisions of the node `foreign` are not of hotitem. */
function indexOf(decisions: PastDecision[]) {
  const latestFirst = decisions.toSorted((a, b) => b.time - a.time);
  const asked: string[] = [];
  const questions: AskableQuestions = {
    totals: async () => ({ ...NOTHING, views: 5, all: 9, visitors: 4, items: 2, first: FROM, last: TO - 1 }),
    topItems: async () => [
      { ...NOTHING, item: 'a', views: 5, all: 9, visitors: 4, estimated: true, last: TO - 1 },
    ],
    topCategories: async () => [{ ...NOTHING, category: '', views: 5, all: 9, visitors: 4, last: TO - 1 }],
    async timeLine({ from, to, stepMs, item }) {
      asked.push(item ?? '');
      const steps = Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, i) => {
        return (Math.min(to, from + (i + 1) * stepMs) - (from + i * stepMs)) / 1_000;
      });
      return { people: steps, all: steps.map((views) => 2 * views) };
    },
    async pastDecisions({ from, to, limit }) {
      const read = latestFirst.filter(({ time }) => time >= from && time < to).slice(0, limit);
      const oldest = read.length === limit ? read.at(-1)?.time : undefined;
      return {
        decisions: read.filter(({ node }) => node !== 'foreign'),
        ...(oldest !== undefined && { oldest }),
      };
    },
  };
  return { asked, questions };
}

async function ask(decisions: PastDecision[], range = { from: FROM, to: TO }, refreshMs = 1_000) {
  const { asked, questions } = indexOf(decisions);
  const steps: number[] = [];
  const found = await fromIndex({
    questions,
    range,
    refreshMs,
    lookUp: (item) => (item === 'a' ? { name: 'Kettle', category: 'Kitchen' } : undefined),
    onAnswer: (done, of) => steps.push(of - done),
  });
  return { asked, steps, ...found };
}

describe('what an index knows of a time', () => {
  test('is its totals, its curve, items and categories', async () => {
    const found = await ask([]);

    expect(found.totals).toEqual({
      ...NOTHING,
      people: 5,
      all: 9,
      visitors: 4,
      items: 2,
      first: FROM,
      last: TO - 1,
    });
    expect(found.curve.stepMs).toBe(30_000);
    expect(found.curve.all).toHaveLength(120);
    expect(found.items).toEqual([
      { item: 'a', name: 'Kettle', category: 'Kitchen', people: 5, all: 9, visitors: 4, estimated: true },
    ]);
    expect(found.categories).toEqual([{ category: '', people: 5, all: 9, visitors: 4 }]);
    expect(found.periods).toEqual({ list: [], more: 0, mostAtOnce: 0 });
    expect(found.saved).toEqual({ atMost: 0, refreshMs: 1_000 });
  });

  test('counts the views of a hot period within the time, and what a cache would save at most', async () => {
    const { periods, saved, asked } = await ask([
      // Began before, as its repetition says.
      decision({ time: FROM - MINUTE, since: FROM - 60 * MINUTE, change: 'stays' }),
      decision({ time: FROM + 10 * MINUTE, since: FROM - 60 * MINUTE, change: 'leaves' }),
      decision({ item: 'b', time: FROM + 20 * MINUTE }),
      decision({ item: 'c', time: FROM + 30 * MINUTE, dry_run: true }),
      decision({ item: 'd', time: FROM + 30 * MINUTE, actions: ['announce'] }),
    ]);

    expect(
      periods.list.map(({ item, people, all, savedAtMost, until }) => [
        item,
        people,
        all,
        savedAtMost,
        until,
      ]),
    ).toEqual([
      ['a', 600, 1_200, 600, FROM + 10 * MINUTE],
      ['b', 2_400, 4_800, 2_400, undefined],
      ['c', 1_800, 3_600, undefined, undefined],
      ['d', 1_800, 3_600, undefined, undefined],
    ]);
    expect(periods.list[0]).toMatchObject({ name: 'Kettle', most: { perSecond: 2, overMs: 10_000 } });
    expect(saved).toEqual({ atMost: 3_000, refreshMs: 1_000 });
    expect(periods.mostAtOnce).toBe(3);
    // The time line of all, and one for each period.
    expect(asked).toEqual(['', 'a', 'b', 'c', 'd']);
  });

  test('counts a view of an item that is cached by two signals, or on two nodes, once', async () => {
    const { periods, saved } = await ask([
      decision({ time: FROM }),
      decision({ time: FROM + 5 * MINUTE, signal: 'surge' }),
      decision({ time: FROM + 10 * MINUTE, since: FROM, change: 'leaves' }),
      decision({ time: FROM + 20 * MINUTE, since: FROM + 5 * MINUTE, signal: 'surge', change: 'leaves' }),
      decision({ time: FROM, node: 'web-2' }),
      decision({ time: FROM + 10 * MINUTE, node: 'web-2', since: FROM, change: 'leaves' }),
    ]);

    // 20 minutes of 2 views/s, less a refresh a second on web-1 for 20 and on web-2 for 10 minutes.
    expect(saved.atMost).toBe(2_400 - 1_200 - 600);
    expect(periods.list.map(({ savedAtMost }) => savedAtMost)).toEqual([1_200 - 2 * 600, 1_800 - 900]);
  });

  test('counts refreshes of each node that was told to cache it, as seldom as it makes them', async () => {
    const leaves = (minute: number, fields: Partial<PastDecision>) =>
      decision({ time: FROM + minute * MINUTE, change: 'leaves', ...fields });
    const { periods, saved } = await ask(
      [
        decision({}),
        leaves(10, { since: FROM }),
        // Within the same hour: in a dry run, and only limited.
        decision({ node: 'web-2', dry_run: true }),
        leaves(20, { node: 'web-2', since: FROM, dry_run: true }),
        decision({ node: 'web-3', actions: ['limit'] }),
        leaves(30, { node: 'web-3', since: FROM, actions: ['limit'] }),
        // Nowhere but in a dry run.
        decision({ item: 'b', node: 'web-2', dry_run: true }),
        decision({ item: 'b', node: 'web-3', actions: ['limit'] }),
      ],
      { from: FROM, to: TO },
      5_000,
    );

    // 10 minutes of 2 views/s, less a refresh each 5 s.
    expect(saved).toEqual({ atMost: 1_200 - 120, refreshMs: 5_000 });
    expect(periods.list.map(({ actions, savedAtMost }) => [actions, savedAtMost])).toEqual([
      [['cache', 'limit'], 1_200 - 120],
      [['limit'], undefined],
    ]);
    expect(periods.list[0]).not.toHaveProperty('cached');
  });

  test('counts no refresh of a sidecar that disappeared', async () => {
    const day = 24 * 60 * MINUTE;
    const { saved } = await ask([decision({})], { from: FROM, to: FROM + 7 * day });

    expect(saved.atMost).toBe(25 * 3_600 * 2);
  });

  test('ends a period whose end was never recorded when its repetition is missing', async () => {
    const hour = (n: number) => FROM + n * 60 * MINUTE;
    const { periods } = await ask(
      [
        // This node disappears.
        decision({ time: hour(1) }),
        decision({ node: 'web-2', time: hour(100) }),
        decision({ node: 'web-2', time: hour(101), since: hour(100), change: 'leaves' }),
      ],
      { from: FROM, to: hour(168) },
    );

    expect(
      periods.list.map(({ nodes, since, until, lostAt, all }) => [nodes, since, until, lostAt, all]),
    ).toEqual([
      [['web-1'], hour(1), undefined, hour(26), 25 * 3_600 * 2],
      [['web-2'], hour(100), hour(101), undefined, 3_600 * 2],
    ]);
    expect(periods.mostAtOnce).toBe(1);
  });

  test('tells what the cap held back once each, and no period of it', async () => {
    const held = (minute: number, item = 'a') =>
      decision({ item, time: FROM + minute * MINUTE, change: 'held', reason: `at ${minute}` });
    const { held: found, periods } = await ask([held(2), held(1), held(3, 'b'), held(-1), held(5)]);

    expect(found).toEqual({
      list: [
        {
          item: 'a',
          name: 'Kettle',
          signal: 'busy',
          first: FROM + MINUTE,
          last: FROM + 5 * MINUTE,
          times: 3,
          reason: 'at 1',
        },
        {
          item: 'b',
          signal: 'busy',
          first: FROM + 3 * MINUTE,
          last: FROM + 3 * MINUTE,
          times: 1,
          reason: 'at 3',
        },
      ],
      more: 0,
    });
    expect(periods.list).toEqual([]);
  });

  test('reads more decisions than an index gives at once, also of one moment', async () => {
    const many = Array.from({ length: 12_000 }, (_, i) =>
      decision({ item: `many-${i}`, time: FROM + Math.floor(i / 3) * 200, change: 'held' }),
    );
    const { held, decisionsFrom, steps } = await ask(many);

    expect(held.list).toHaveLength(100);
    expect(held.list.length + held.more).toBe(12_000);
    expect(decisionsFrom).toBeUndefined();
    expect(Math.min(...steps)).toBe(0);
  });

  test.each([1, 6_000])('reads all decisions also between %d documents of somebody else', async (count) => {
    const own = Array.from({ length: 12_000 }, (_, i) =>
      decision({ item: `many-${i}`, time: FROM + i * 200, change: 'held' }),
    );
    const foreign = Array.from({ length: count }, (_, i) =>
      decision({ node: 'foreign', time: TO - MINUTE + i }),
    );
    const { held, decisionsFrom } = await ask([...own, ...foreign]);

    expect(held.list.length + held.more).toBe(12_000);
    expect(decisionsFrom).toBeUndefined();
  });

  test('says from when on it read decisions, where there are too many at all or of one moment', async () => {
    const held = (i: number, time: number) => decision({ item: `many-${i}`, time, change: 'held' });
    const some = Array.from({ length: 101_000 }, (_, i) => held(i, FROM + i));
    const atOnce = Array.from({ length: 5_000 }, (_, i) => held(i, FROM + MINUTE));

    const { held: found, decisionsFrom } = await ask(some);
    expect(found.list.length + found.more).toBe(FROM + 101_000 - (decisionsFrom ?? 0));
    expect(await ask([held(-1, FROM + 2 * MINUTE), ...atOnce, held(-2, FROM)])).toMatchObject({
      decisionsFrom: FROM + MINUTE + 1,
      held: { list: [{ item: 'many--1' }], more: 0 },
    });
  });

  test('lists the strongest of very many periods, and says how many there are', async () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      decision({ item: `many-${i}`, time: FROM + i, views_per_second: i }),
    );
    const { periods } = await ask(many);

    expect(periods.list).toHaveLength(200);
    expect(periods.more).toBe(100);
    expect(periods.list.map(({ item }) => item).at(0)).toBe('many-100');
  });
});
