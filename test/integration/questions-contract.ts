import { expect, test } from '@jest/globals';
import type { HotDecision } from '../../event/decision-fields.ts';
import type { HotItemEvent } from '../../event/event.ts';
import type { DecisionIndex, EventIndex } from '../../store/event-index.ts';
import { FULL } from '../parts/full.ts';
import { DECISION } from '../parts/hot-decision.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';

export type QuestionsUnderTest = {
  index(): EventIndex;
  decisions(): DecisionIndex;
  /** Makes what was created visible to questions. */
  refresh(): Promise<void>;
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Each test has a day of its own. */
const DAY = (day: number) => Date.UTC(2026, 8, day, 12);

const MANY = FULL ? 10_000 : 1_000;

let made = 0;

/** A decision with an id of its own. */
function decision(fields: Partial<HotDecision>): HotDecision {
  return { ...DECISION, id: (++made).toString(16).padStart(32, 'd'), ...fields };
}

/** As a sink does: what may be created later is tried again. */
async function store(index: Pick<EventIndex, 'create'>, events: HotItemEvent[]): Promise<void> {
  await until(
    async () => {
      const outcomes = await index.create(events);
      return outcomes.every(({ status }) => status === 'created' || status === 'exists');
    },
    { timeoutMs: 50_000, what: 'all events to be in the index' },
  );
}

/** What every index answers about items, with known data. */
export function itAnswersQuestions({ index, decisions, refresh }: QuestionsUnderTest): void {
  test('finds what rises against the hour before by visitors, whatever its share of the shop', async () => {
    const to = DAY(1);
    const people = (item: string, count: number, time: number, from = 0) =>
      Array.from({ length: count }, (_, i) =>
        view({ item, time, ip: `198.51.${(from + i) >> 8}.${(from + i) & 255}` }),
      );
    const eachWindow = (item: string, count: number) =>
      [1, 2, 3, 4, 5, 6].flatMap((nth) => people(item, count, to - 10 * MINUTE * nth - 1));
    await store(index(), [
      // Twice its visitors, and a lot of them.
      ...people('large', 400, to - 1),
      ...eachWindow('large', 200),
      // Five times, with few.
      ...people('small', 10, to - 5 * MINUTE),
      ...eachWindow('small', 2),
      // New.
      ...people('new', 8, to - 10 * MINUTE),
      // As usual.
      ...people('steady', 50, to - 1),
      ...eachWindow('steady', 50),
      // Too few.
      ...people('rare', 3, to - 1),
      // One visitor, many views: no rise.
      ...Array.from({ length: 60 }, () => view({ item: 'scraped', time: to - 1 })),
      // Bots and prefetches are nobody.
      ...people('crawled', 30, to - 1).map((one) => ({ ...one, bot: true })),
      ...people('fetched', 30, to - 1).map((one) => ({ ...one, kind: 'prefetch' as const })),
      // At the end of the range, and before its beginning.
      ...people('later', 30, to),
      ...people('new', 30, to - 70 * MINUTE - 1, 60),
    ]);
    await refresh();

    const rising = {
      to,
      windowMs: 10 * MINUTE,
      windowsBefore: 6,
      leastVisitors: 5,
      leastRatio: 2,
      stepMs: 10 * MINUTE,
    };
    const rises = await index().rising({ ...rising, limit: 10 });

    expect(rises).toEqual([
      { item: 'new', visitors: 8, before: 0, views: 8, series: [0, 0, 0, 0, 0, 0, 8] },
      { item: 'small', visitors: 10, before: 2, views: 10, series: [2, 2, 2, 2, 2, 2, 10] },
      {
        item: 'large',
        visitors: near(400),
        before: near(200),
        views: 400,
        series: [200, 200, 200, 200, 200, 200, 400],
      },
    ]);
    expect(await index().rising({ ...rising, limit: 1 })).toEqual([expect.objectContaining({ item: 'new' })]);
  });

  test('draws the views of an item over time, each with its weight', async () => {
    const from = DAY(2);
    await store(index(), [
      view({ item: 'drawn', time: from }),
      view({ item: 'drawn', time: from + MINUTE - 1, weight: 4 }),
      view({ item: 'drawn', time: from + MINUTE, bot: true }),
      view({ item: 'drawn', time: from + 3 * MINUTE, kind: 'prefetch' }),
      view({ item: 'drawn', time: from + 4 * MINUTE - 1 }),
      view({ item: 'drawn', time: from + 4 * MINUTE - 1, kind: 'test' }),
      view({ item: 'drawn', time: from - 1 }),
      view({ item: 'drawn', time: from + 4 * MINUTE }),
      view({ item: 'another', time: from }),
    ]);
    await refresh();

    expect(await index().timeLine({ item: 'drawn', from, to: from + 4 * MINUTE, stepMs: MINUTE })).toEqual({
      people: [5, 0, 0, 1],
      all: [5, 1, 0, 2],
    });
    expect(await index().timeLine({ item: 'unknown', from, to: from + MINUTE, stepMs: MINUTE / 2 })).toEqual({
      people: [0, 0],
      all: [0, 0],
    });
  });

  test('counts one item: its views by kind, and its visitors, also over many days', async () => {
    const at = DAY(3);
    await store(index(), [
      view({ item: 'counted', time: at, ip: '203.0.113.1' }),
      view({ item: 'counted', time: at + 1, ip: '203.0.113.1', weight: 2 }),
      view({ item: 'counted', time: at + 2, ip: '203.0.113.2' }),
      view({ item: 'counted', time: at + 3, ip: '203.0.113.3', bot: true }),
      view({ item: 'counted', time: at + 4, kind: 'prefetch' }),
      view({ item: 'counted', time: at + 5, kind: 'head' }),
      view({ item: 'counted', time: at + 6, kind: 'test' }),
    ]);
    await refresh();

    const counted = {
      item: 'counted',
      views: 4,
      bots: 1,
      prefetches: 1,
      others: 1,
      all: 7,
      visitors: 2,
      last: at + 5,
    };
    expect(await index().itemViews({ item: 'counted', from: at, to: at + HOUR })).toEqual(counted);
    expect(await index().itemViews({ item: 'counted', from: at - 48 * HOUR, to: at + 48 * HOUR })).toEqual(
      counted,
    );
    expect(await index().itemViews({ item: 'counted', from: at + HOUR, to: at + 2 * HOUR })).toBeUndefined();
    expect(await index().itemViews({ item: 'nothing', from: at, to: at + HOUR })).toBeUndefined();
  });

  test(`ranks ${MANY} items`, async () => {
    const at = DAY(4);
    const items = Array.from({ length: MANY }, (_, i) =>
      view({ item: `many-${i}`, time: at, weight: MANY - i }),
    );
    for (let i = 0; i < items.length; i += 1_000) await store(index(), items.slice(i, i + 1_000));
    const crowd = Array.from({ length: 800 }, (_, i) =>
      view({ item: 'many-0', time: at, ip: `198.51.${(i % 400) >> 8}.${(i % 400) & 255}` }),
    );
    await store(index(), crowd);
    await refresh();

    const found = await index().topItems({ from: at, to: at + 1, limit: 10_000 });

    expect(found).toHaveLength(MANY);
    expect(found.map(({ item }) => item)).toEqual(items.map(({ item }) => item));
    expect(found.at(-1)).toMatchObject({ views: 1, visitors: 1 });
    // Beside the one who viewed it before. Of so many items an index may estimate, and then says so.
    const { visitors = 0, estimated } = found[0] ?? {};
    if (estimated === undefined) expect(visitors).toBe(401);
    else expect(Math.abs(visitors - 401)).toBeLessThan(60);
    expect(found.at(-1)).not.toHaveProperty('estimated');
  });

  test('counts visitors alike in the items, the categories and the item, however many items are asked for', async () => {
    const at = DAY(9);
    // Each comes twice: visitors are never as many as views.
    const crowd = Array.from({ length: 1_400 }, (_, i) =>
      view({ item: 'crowd', time: at, ip: `198.51.${(i % 700) >> 8}.${(i % 700) & 255}`, category: 'Bath' }),
    );
    await store(index(), [...crowd, view({ item: 'few', time: at, category: 'Bath' })]);
    await refresh();

    const range = { from: at, to: at + MINUTE };
    for (const limit of [10, 10_000]) {
      const [first, second] = await index().topItems({ ...range, limit });
      expect([first?.visitors, first?.estimated, second?.visitors]).toEqual([700, undefined, 1]);
    }
    const [bath] = await index().topCategories({ ...range, limit: 1_000 });
    expect([bath?.visitors, bath?.estimated]).toEqual([701, undefined]);
    for (const one of [
      await index().itemViews({ ...range, item: 'crowd' }),
      await index().itemViews({ from: at - 72 * HOUR, to: at + 72 * HOUR, item: 'crowd' }),
    ])
      expect([one?.visitors, one?.estimated]).toEqual([700, undefined]);
    expect(await index().totals(range)).toMatchObject({ visitors: 701, items: 2 });
    expect(await index().totals(range)).not.toHaveProperty('estimated');
  });

  test('says which pages and hosts people came from, and how many others there are', async () => {
    const at = DAY(5);
    const from = (ref: string | undefined, weight = 1) =>
      view({ item: 'linked', time: at, weight, ...(ref !== undefined && { ref }), host: 'shop.example' });
    await store(index(), [
      from('https://www.google.com/'),
      from('https://www.google.com/search?q=1', 3),
      from('HTTPS://WWW.GOOGLE.COM'),
      from('android-app://com.instagram.android/', 3),
      from(undefined, 2),
      from('<script>alert(1)</script>'),
      { ...from('https://user:secret@one.example:8443/path'), host: 'm.shop.example' },
      { ...from('https://bots.example/'), bot: true },
      view({ item: 'other', time: at, ref: 'https://other.example/' }),
    ]);
    await refresh();

    const range = { item: 'linked', from: at, to: at + MINUTE };
    expect(await index().sources({ ...range, by: 'referrer', limit: 10 })).toEqual({
      top: [
        { name: 'www.google.com', views: 5 },
        { name: 'com.instagram.android', views: 3 },
        { name: '', views: 2 },
        { name: '<script>alert(1)</script>', views: 1 },
        { name: 'one.example:8443', views: 1 },
      ],
      rest: 0,
    });
    expect(await index().sources({ ...range, by: 'referrer', limit: 2 })).toMatchObject({ rest: 4 });
    expect(await index().sources({ ...range, by: 'host', limit: 1 })).toEqual({
      top: [{ name: 'shop.example', views: 11 }],
      rest: 1,
    });
    expect(await index().sources({ ...range, item: 'nothing', by: 'host', limit: 1 })).toEqual({
      top: [],
      rest: 0,
    });
  });

  test('says by which utm_source of a link people came', async () => {
    const at = DAY(10);
    const by = (args: string | undefined, weight = 1) =>
      view({ item: 'mailed', time: at, weight, ...(args !== undefined && { args }) });
    await store(index(), [
      by('utm_source=news%20letter&utm_medium=mail', 3),
      by('ref=1&utm_source=news+letter'),
      by('utm_source=%3Cscript%3Ealert(1)%3C/script%3E', 2),
      by('utm_source=%E0%A4%A'),
      by('utm_source='),
      by('xutm_source=other', 4),
      by(undefined, 5),
      { ...by('utm_source=bots'), bot: true },
    ]);
    await refresh();

    const range = { item: 'mailed', from: at, to: at + MINUTE };
    expect(await index().sources({ ...range, by: 'utm_source', limit: 10 })).toEqual({
      top: [
        { name: '', views: 10 },
        { name: 'news letter', views: 4 },
        { name: '<script>alert(1)</script>', views: 2 },
        { name: '%E0%A4%A', views: 1 },
      ],
      rest: 0,
    });
  });

  test('tells when an item was hot and why, from its decisions', async () => {
    const at = DAY(6);
    const busy = {
      item: 'hot',
      since: at,
      reason: '30 views/s over 10 s',
      views_per_second: 30,
      visitors: 12,
    };
    const surge = { ...busy, signal: 'surge', since: at + MINUTE, reason: '61 visitors in 1 s' };
    expect(
      await decisions().create([
        decision({ ...busy, time: at, actions: ['cache'] }),
        decision({ ...surge, time: at + MINUTE }),
        decision({ ...busy, time: at + 2 * MINUTE, change: 'leaves' }),
        decision({
          item: 'hot',
          node: 'web-2',
          signal: 'pin',
          since: at,
          time: at + HOUR,
          reason: 'TV',
          dry_run: true,
        }),
        // Of a period that began before the decisions that are kept.
        decision({ item: 'old', since: at - HOUR, time: at + MINUTE, change: 'leaves', reason: 'long ago' }),
        decision({ item: 'later', since: at + 2 * HOUR, time: at + 2 * HOUR }),
        // It was not hot.
        decision({ item: 'hot', since: at + 3 * MINUTE, time: at + 3 * MINUTE, change: 'held' }),
      ]),
    ).toEqual(Array(7).fill({ status: 'created' }));
    await refresh();

    const range = { from: at, to: at + 90 * MINUTE, limit: 10 };
    const ofHot = await index().hotPeriods({ ...range, item: 'hot' });
    expect(
      ofHot.map(({ signal, since, until, node, dryRun }) => [signal, since, until, node, dryRun]),
    ).toEqual([
      ['surge', at + MINUTE, undefined, 'web-1', false],
      ...[
        ['busy', at, at + 2 * MINUTE, 'web-1', false],
        ['pin', at, undefined, 'web-2', true],
      ].sort(
        ([a], [b]) => ofHot.findIndex((one) => one.signal === a) - ofHot.findIndex((one) => one.signal === b),
      ),
    ]);
    expect(ofHot.find(({ signal }) => signal === 'busy')).toEqual({
      item: 'hot',
      node: 'web-1',
      signal: 'busy',
      since: at,
      until: at + 2 * MINUTE,
      reason: '30 views/s over 10 s',
      rule: 'default',
      dryRun: false,
      actions: ['cache'],
      viewsPerSecond: 30,
      visitors: 12,
    });
    const items = (await index().hotPeriods(range)).map(({ item }) => item);
    expect(items.toSorted()).toEqual(['hot', 'hot', 'hot', 'old']);
    expect(await index().hotPeriods({ ...range, limit: 1 })).toHaveLength(1);
    expect(await index().hotPeriods({ ...range, item: 'hot', from: at + 3 * MINUTE })).toHaveLength(2);
  });

  test('adds up a range: its views by kind, visitors and items, over time and by category', async () => {
    const from = DAY(7);
    const to = from + 3 * MINUTE - 1;
    await store(index(), [
      view({ item: 'shoe', time: from + 5, ip: '203.0.113.1', category: 'Shoes' }),
      view({ item: 'shoe', time: from + MINUTE, ip: '203.0.113.1', category: 'Shoes', weight: 3 }),
      view({ item: 'boot', time: from + MINUTE + 1, ip: '203.0.113.2', category: 'Shoes' }),
      view({ item: 'hat', time: from + 2 * MINUTE, ip: '203.0.113.2', category: 'Hats <b>' }),
      view({ item: 'hat', time: to - 1, ip: '203.0.113.2', category: 'Hats <b>', bot: true, weight: 9 }),
      view({ item: 'plain', time: from + 6, ip: '203.0.113.3', weight: 2 }),
      view({ item: 'plain', time: from + 7, kind: 'prefetch' }),
      view({ item: 'fetched', time: from + 8, kind: 'prefetch', category: 'Fetched' }),
      view({ item: 'tested', time: from, kind: 'test', category: 'Tested' }),
      view({ item: 'after', time: to, category: 'After' }),
      view({ item: 'before', time: from - 1, category: 'Before' }),
    ]);
    await refresh();

    expect(await index().totals({ from, to })).toEqual({
      views: 8,
      bots: 9,
      prefetches: 2,
      others: 0,
      all: 19,
      visitors: 3,
      items: 5,
      first: from + 5,
      last: to - 1,
    });
    expect(await index().totals({ from: from - 36 * HOUR, to: from - 35 * HOUR })).toEqual({
      views: 0,
      bots: 0,
      prefetches: 0,
      others: 0,
      all: 0,
      visitors: 0,
      items: 0,
    });
    // The last interval is shorter.
    expect(await index().timeLine({ from, to, stepMs: MINUTE })).toEqual({
      people: [3, 4, 1],
      all: [5, 4, 10],
    });
    const categories = await index().topCategories({ from, to, limit: 10 });
    expect(categories.map(({ category, views, all, visitors }) => [category, views, all, visitors])).toEqual([
      ['Shoes', 5, 5, 2],
      ['', 2, 3, 1],
      ['Hats <b>', 1, 10, 1],
    ]);
    expect(categories[0]).toMatchObject({ bots: 0, prefetches: 0, others: 0, last: from + MINUTE + 1 });
    const byAll = await index().topCategories({ from, to, limit: 10, rank: 'all' });
    expect(byAll.map(({ category }) => category)).toEqual(['Hats <b>', 'Shoes', '', 'Fetched']);
    expect(await index().topCategories({ from, to, limit: 1 })).toHaveLength(1);
    const many = await index().topCategories({ from, to, limit: 1_000 });
    expect(many.map(({ category, visitors }) => [category, visitors])).toEqual([
      ['Shoes', 2],
      ['', 1],
      ['Hats <b>', 1],
    ]);
    expect(await index().topCategories({ from: from - 36 * HOUR, to: from - 35 * HOUR, limit: 1 })).toEqual(
      [],
    );
    const week = await index().totals({ from: from - 12 * HOUR, to: from + 36 * HOUR });
    expect(week.visitors).toBeGreaterThanOrEqual(3);
  });

  test('tells decisions as they were made, the latest first, also of what the cap held back', async () => {
    const at = DAY(8);
    const made = { item: 'told', since: at, reason: 'because' };
    await decisions().create([
      decision({ ...made, time: at, views_per_second: 21, visitors: 4, actions: ['cache', 'limit'] }),
      decision({ ...made, time: at + 2, change: 'held', signal: 'surge', since: at + 2, dry_run: true }),
      decision({ ...made, time: at + 1, change: 'leaves' }),
      decision({ ...made, time: at + MINUTE }),
      decision({ ...made, time: at - 1 }),
    ]);
    await refresh();

    const { decisions: told, oldest } = await index().pastDecisions({
      from: at,
      to: at + MINUTE,
      limit: 10,
    });

    expect(oldest).toBeUndefined();
    expect(told.map(({ time, change }) => [time, change])).toEqual([
      [at + 2, 'held'],
      [at + 1, 'leaves'],
      [at, 'enters'],
    ]);
    expect(told[0]).toMatchObject({
      item: 'told',
      node: 'web-1',
      signal: 'surge',
      since: at + 2,
      dry_run: true,
    });
    expect(told[2]).toMatchObject({ reason: 'because', actions: ['cache', 'limit'], views_per_second: 21 });
    expect(await index().pastDecisions({ from: at, to: at + MINUTE, limit: 1 })).toEqual({
      decisions: [told[0]],
      oldest: at + 2,
    });
    expect(await index().pastDecisions({ from: at - HOUR, to: at - MINUTE, limit: 1 })).toEqual({
      decisions: [],
    });
  });

  test('says how old the newest event is', async () => {
    const ahead = Date.UTC(2026, 11, 31);
    await store(index(), [view({ time: ahead }), view({ time: ahead + HOUR, kind: 'test' })]);
    await refresh();

    expect(await index().newest()).toBe(ahead);
  });
}

/** Elasticsearch counts visitors by a sketch. */
function near(count: number): unknown {
  return {
    asymmetricMatch: (value: unknown) => typeof value === 'number' && Math.abs(value - count) <= count * 0.03,
  };
}
