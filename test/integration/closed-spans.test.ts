import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { HotItemEvent } from '../../event/event.ts';
import { type DuckdbIndex, openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import type { Range } from '../../store/event-questions.ts';
import { bundleScript } from '../parts/bundle-script.ts';
import { FULL, firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const QUARTER = 6 * HOUR;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const FIRST = Date.UTC(2026, 10, 1);
/** Days with events, the last of which is not over. The first four end a week. */
const DAYS = 5;
/** How often something happens in between, each time at another moment. */
const ROUNDS = FULL ? 15 : 6;
const NOW = FIRST + 4 * DAY + 15 * HOUR;

let folder: { path: string; remove: () => void };
let path: string;
beforeEach(() => {
  folder = temporaryFolder('closed-spans');
  path = join(folder.path, 'index.duckdb');
});
afterEach(() => folder.remove());

describe('Closed spans of a DuckDB file', () => {
  test('give the answers that the events give, whatever is added and deleted, in whatever order', async () => {
    const both = await openBoth();
    await both.take({ kind: 'add', events: fc.sample(event, { numRuns: 300, seed: 23 }) });
    await both.take({ kind: 'close', times: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), ranges, async (steps, asked) => {
        for (const one of steps) await both.take(one);
        for (const range of [...firstOf(1, asked), { from: FIRST + 4 * DAY - WEEK, to: NOW }])
          await both.expectSame(range);
      }),
      { numRuns: FULL ? 60 : 4, seed: 23 },
    );
    await both.close();
    expect(both.closed()).toEqual(new Set([QUARTER, DAY, WEEK]));
  }, 600_000);

  test('are computed ten minutes after their end, the latest first and a longer one from the shorter ones in it, and not again', async () => {
    let now = FIRST + 2 * DAY + 10 * MINUTE - 1;
    const index = await openDuckdbIndex({ path, now: () => now });
    await index.create([view({ time: FIRST + 13 * HOUR }), view({ time: FIRST + 25 * HOUR })]);

    // Nothing is computed before the first event, or twice.
    expect(await closeAll(index)).toEqual([
      [36, 6],
      [30, 6],
      [24, 6],
      [18, 6],
      [12, 6],
      [0, 24],
    ]);
    now++;
    expect(await closeAll(index)).toEqual([
      [42, 6],
      [24, 24],
    ]);
    now = NOW;
    const rest = await closeAll(index);
    expect(rest.slice(0, 3)).toEqual([
      [102, 6],
      [96, 6],
      [90, 6],
    ]);
    expect(rest.slice(-2)).toEqual([
      [48, 24],
      [-72, 168],
    ]);
    await index.close();
  });

  test('are computed again ten minutes after a late event, which deletes what is there; one that is there already deletes nothing', async () => {
    let now = NOW;
    const index = await openDuckdbIndex({ path, now: () => now });
    const [early, late] = [view({ time: FIRST }), view({ time: FIRST + DAY - 1 })];
    await index.create([early]);
    await closeAll(index);
    await index.create([early, view({ time: now })]);
    await index.close();
    const all = await spansIn(path);
    expect(all).toEqual(
      expect.arrayContaining([
        [18, 6],
        [0, 24],
        [-72, 168],
      ]),
    );

    const again = await openDuckdbIndex({ path, now: () => now });
    await again.create([late]);
    expect(await closeAll(again)).toEqual([]);
    now += 10 * MINUTE;
    expect(await closeAll(again)).toEqual([
      [18, 6],
      [0, 24],
      [-72, 168],
    ]);
    expect(await again.itemViews({ item: '4711', from: FIRST, to: FIRST + DAY })).toMatchObject({ views: 2 });
    await again.close();
    expect(await spansIn(path)).toEqual(all);
  });

  test('are not committed where a late event comes while they are chosen or computed', async () => {
    let now = FIRST + 4 * DAY + 13 * HOUR;
    const index = await openDuckdbIndex({ path, mostExactViews: 0, now: () => now });
    await index.create([view({ time: FIRST })]);
    await closeAll(index);
    for (let late = 1; late <= ROUNDS; late++) {
      await index.create([view({ time: FIRST + late })]);
      now += 10 * MINUTE;
      // The quarter, the day, or the week is computed.
      await closeAll(index, late % 3);
      const closing = index.closeSpan();
      for (let turns = late % 5; turns > 0; turns--) await index.newest();
      await index.create([view({ time: FIRST + late, item: 'late' })]);
      await closing;

      for (const to of [FIRST + QUARTER, FIRST + DAY, FIRST + 4 * DAY])
        expect(await index.totals({ from: FIRST + 4 * DAY - WEEK, to })).toMatchObject({ all: 1 + 2 * late });
    }
    await index.close();

    expect(await ask(path, UNEQUAL)).toEqual([]);
  });

  test('are not made of parts that are not there, though time passes while they are chosen', async () => {
    let now = NOW;
    let ticks = 0;
    const index = await openDuckdbIndex({ path, now: () => (now += ticks) });
    await index.create([view({ time: FIRST })]);
    await closeAll(index);
    for (let early = 0; early < ROUNDS; early++) {
      await index.create([view({ time: FIRST + early })]);
      now += 10 * MINUTE - early;
      ticks = 1;
      expect([undefined, { from: FIRST, to: FIRST + QUARTER }]).toContainEqual(await index.closeSpan());
      ticks = 0;
    }
    await index.close();
  });

  test('are computed also where one cannot be, which is tried again after ten minutes', async () => {
    let now = FIRST + 2 * DAY + HOUR;
    const first = await openDuckdbIndex({ path, now: () => now });
    await first.create([view({ time: FIRST }), view({ time: FIRST + DAY })]);
    await first.close();
    await ask(
      path,
      `DROP TABLE closed_hours;
       CREATE TABLE closed_hours (hours INTEGER, begins INTEGER CHECK (begins <> ${FIRST / HOUR + 24}), item VARCHAR, time TIMESTAMP_MS, views DOUBLE, total DOUBLE)`,
    );
    const index = await openDuckdbIndex({ path, now: () => now });

    expect(await closeAll(index, 4)).toHaveLength(4);
    await expect(index.closeSpan()).rejects.toThrow('DuckDB cannot do this now');
    expect(await closeAll(index)).toHaveLength(5);
    now += 10 * MINUTE;
    await expect(index.closeSpan()).rejects.toThrow('DuckDB cannot do this now');
    await index.close();
    const days = (await spansIn(path)).filter(([, hours]) => hours === 24);
    expect(days).toEqual([[0, 24]]);
  });

  test('are asked about in one state of the file: a late event is seen with all before it, or not at all', async () => {
    let now = FIRST + 3 * DAY;
    const index = await openDuckdbIndex({ path, now: () => now });
    const whole = { item: '4711', from: FIRST, to: FIRST + 2 * DAY };
    await index.create([view({ time: FIRST })]);
    await closeAll(index);
    for (let views = 1; views <= ROUNDS; views++) {
      now += 10 * MINUTE;
      // The quarter, and the day.
      await closeAll(index, 2);
      const late = index.create([view({ time: FIRST + views })]);
      const answers = await Promise.all([1, 2, 3].map(() => index.itemViews(whole)));
      await late;
      for (const answer of answers) expect([views, views + 1]).toContain(answer?.views);
    }
    await index.close();
  });

  test('do not outlive events that the retention deletes, and what has lost some is not computed', async () => {
    let now = FIRST + 3 * DAY + 5 * HOUR;
    const index = await openDuckdbIndex({ path, retentionDays: 3.25, now: () => now });
    await index.create([HOUR, QUARTER, DAY].map((after) => view({ time: FIRST + after })));
    expect(await closeAll(index)).toContainEqual([0, 24]);
    now += 3 * HOUR;

    expect(await index.retain()).toBe(1);

    now += 10 * MINUTE;
    expect(await closeAll(index)).toEqual([[72, 6]]);
    expect(await index.itemViews({ item: '4711', from: FIRST, to: FIRST + 2 * DAY })).toMatchObject({
      views: 2,
    });
    await index.close();
    const spans = await spansIn(path);
    expect(spans.filter(([begins]) => begins < 24)).toEqual([
      [6, 6],
      [12, 6],
      [18, 6],
    ]);
    expect(spans).toContainEqual([24, 24]);
  });

  test.each([
    [
      'of another version of DuckDB',
      "UPDATE closed_format SET format = replace(format, 'DuckDB v', 'DuckDB v0.')",
    ],
    ['whose format an operator dropped', 'DROP TABLE closed_format'],
  ])('%s are thrown away', async (_, change) => {
    const index = await openDuckdbIndex({ path, now: () => NOW });
    await index.create([view({ time: FIRST })]);
    await closeAll(index);
    await index.close();
    await ask(path, change);

    await (await openDuckdbIndex({ path })).close();

    expect(await ask(path, 'SELECT count(*) FROM closed_items')).toEqual([[0n]]);
    expect(await spansIn(path)).toEqual([]);
  });

  test('equal their events after kill -9 while late events are added and spans are computed', async () => {
    await (await openDuckdbIndex({ path })).close();
    for (const batches of FULL ? [20, 45, 70] : [25]) {
      const child = fork(bundleScript(join(import.meta.dirname, 'closed-spans-writer.ts')), [path], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      let acknowledged = 0;
      child.on('message', (count: number) => {
        acknowledged = count;
      });
      await until(() => acknowledged >= batches, { timeoutMs: 60_000, what: 'the writer to add late views' });
      child.kill('SIGKILL');
      await once(child, 'exit');

      expect(await ask(path, UNEQUAL)).toEqual([]);
    }
    // Without late events all of it is closed.
    const index = await openDuckdbIndex({ path, now: () => NOW });
    await closeAll(index);
    await index.close();
    expect(await spansIn(path)).toEqual(expect.arrayContaining([0, 24, 48].map((day) => [day, 24])));
    expect(await ask(path, UNEQUAL)).toEqual([]);
  }, 120_000);

  test('that are being computed are given up when the file is closed', async () => {
    await addManyViews();
    const index = await openDuckdbIndex({ path, now: () => NOW });

    const closing = expect(index.closeSpan()).rejects.toThrow('the index is closed');
    for (let turns = 3; turns > 0; turns--) await index.newest();
    await index.close();

    await closing;
    expect(await spansIn(path)).toEqual([]);
  });

  test('estimate visitors as well as the events do: 5 % off on average, and a visitor of two days is one', async () => {
    await addManyViews();
    const index = await openDuckdbIndex({ path, now: () => NOW, mostExactViews: 10_000 });
    await closeAll(index);

    const items = await index.topItems({ from: FIRST, to: FIRST + 3 * DAY, limit: ITEMS });

    const week = FIRST + 4 * DAY - WEEK;
    const off = items.map(({ visitors }) => Math.abs(visitors - 2_000) / 2_000);
    expect(items).toHaveLength(ITEMS);
    expect(items.every(({ views, estimated }) => views === 4_000 && estimated)).toBe(true);
    expect(off.reduce((sum, one) => sum + one) / off.length).toBeLessThan(0.06);
    expect(Math.max(...off)).toBeLessThan(0.25);
    expect(await index.itemViews({ from: week, to: week + WEEK, item: 'item 7' })).toMatchObject({
      views: 4_000,
      visitors: 2_000,
    });
    await index.close();
  }, 60_000);
});

type Step =
  | { kind: 'add'; events: Partial<HotItemEvent>[] }
  | { kind: 'close'; times: number }
  | { kind: 'retain'; upTo: number }
  | { kind: 'reopen'; mostExactViews: number };

const ITEMS = 50;
/** Of each item 2,000 visitors, each on two days. */
async function addManyViews(): Promise<void> {
  await (await openDuckdbIndex({ path })).close();
  const visits = ITEMS * 2_000;
  await ask(
    path,
    `INSERT INTO events (id, time, uri, item, ip, host, weight)
     SELECT uuid(), make_timestamp_ms(${FIRST} + (nth // ${visits}) * ${DAY} + (nth * 7919) % ${DAY}), '/', 'item ' || nth % ${ITEMS}, nth % ${visits}, 'shop.example', 1
     FROM range(${2 * visits}) numbers(nth)`,
  );
}

/** Items of spans of which the views are not those of the events, or, of a day, the visitors. */
const UNEQUAL = `
  WITH counted AS (
    SELECT hours, begins, item, sum(weight) AS total, count(DISTINCT CASE WHEN hours = 24 THEN ip END) AS visitors
    FROM closed_spans JOIN events ON epoch_ms(time) // ${HOUR} BETWEEN begins AND begins + hours - 1 GROUP BY ALL
  ), here AS (
    SELECT hours, begins, item, total, coalesce(len(visitors), 0) AS visitors FROM closed_items LEFT JOIN closed_visitors USING (hours, begins, item)
  )
  SELECT * FROM counted FULL JOIN here USING (hours, begins, item)
  WHERE counted.total IS DISTINCT FROM here.total OR counted.visitors IS DISTINCT FROM here.visitors`;

const oneOf = <Value>(...values: Value[]) => fc.constantFrom(...values);
const event: fc.Arbitrary<Partial<HotItemEvent>> = fc
  .record({
    time: fc.integer({ min: FIRST, max: FIRST + DAYS * DAY - 1 }),
    item: oneOf('a', 'b', "c'", 'item 7'),
    ip: oneOf('203.0.113.1', '203.0.113.2', undefined),
    ua: oneOf('x', 'y', undefined),
    visitor: oneOf('6f1c2a9e0b5d4738', undefined, undefined),
    kind: oneOf('prefetch' as const, 'head' as const, 'test' as const, undefined, undefined, undefined),
    bot: oneOf(true, false),
    weight: oneOf(1, 2, 8),
    host: oneOf('shop.example', 'SHOP.example', undefined),
    ref: oneOf(
      'https://Shop.example/c/1',
      'HTTP://user@shop.example:80?a',
      'android-app://x',
      'no URL',
      '',
      undefined,
    ),
    args: oneOf('utm_source=a%20b', 'x=1&utm_source=a+b', 'utm_source=%zz', 'my_utm_source=1', undefined),
    name: oneOf('Mug', undefined),
    category: oneOf('Shoes', 'Hats', undefined),
  })
  .map(({ ip, ua, visitor, kind, host, ref, args, name, category, ...rest }) => {
    const some = { ip, ua, visitor, kind, host, ref, args, name, category };
    return {
      ...rest,
      ...Object.fromEntries(Object.entries(some).filter(([, value]) => value !== undefined)),
    };
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      events: fc.oneof(
        fc.array(event, { minLength: 1, maxLength: 2 }),
        fc.array(event, { minLength: 1, maxLength: 30 }),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('close' as const), times: oneOf(2, 9, 40, 40) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      upTo: fc.integer({ min: 0, max: 30 * HOUR }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reopen' as const), mostExactViews: oneOf(0, 10_000) }),
  },
);
/** Of a week, of days, hours, quarters, and of none of these. */
const moment = fc.oneof(
  oneOf(FIRST + 4 * DAY - WEEK, FIRST + 4 * DAY),
  fc.integer({ min: 0, max: DAYS }).map((days) => FIRST + days * DAY),
  fc.integer({ min: 0, max: DAYS * 24 }).map((hours) => FIRST + hours * HOUR),
  fc.integer({ min: 0, max: DAYS * 4 }).map((quarters) => FIRST + quarters * QUARTER),
  fc.integer({ min: FIRST - 4 * DAY, max: FIRST + DAYS * DAY }),
);
const ranges = fc.array(
  fc
    .tuple(moment, moment)
    .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) + 1 - 1 })),
  { minLength: 2, maxLength: 3 },
);

function answers(index: DuckdbIndex, range: Range): Promise<unknown>[] {
  const item = 'a';
  return [
    index.itemViews({ ...range, item }),
    index.timeLine({ ...range, item, stepMs: HOUR }),
    index.timeLine({ ...range, stepMs: 3 * HOUR }),
    index.timeLine({ ...range, item, stepMs: 7 * HOUR + 1 }),
    index.sources({ ...range, item, by: 'referrer', limit: 3 }),
    index.sources({ ...range, item: "c'", by: 'host', limit: 3 }),
    index.sources({ ...range, item, by: 'utm_source', limit: 3 }),
    index.totals(range),
    index.topItems({ ...range, limit: 10 }),
    index.topItems({ ...range, limit: 2, rank: 'all', search: 'MUG' }),
    index.topItems({ ...range, limit: 1000, category: 'Shoes', search: 'a' }),
    index.topCategories({ ...range, limit: 3 }),
    index.topCategories({ ...range, limit: 3, rank: 'all' }),
  ];
}

/** Two files with the same events: in one of them spans are closed. At first, both estimate the visitors of more than a day. */
async function openBoth() {
  const options = { retentionDays: 30, mostExactViews: 0, now: () => now };
  let now = NOW;
  let index = await openDuckdbIndex({ path, ...options });
  let plain = await openDuckdbIndex({ path: plainPath(), ...options });
  /** Lengths of the spans that were computed. */
  const closed = new Set<number>();
  return { index: () => index, closed: () => closed, take, expectSame, close };

  async function take(one: Step): Promise<void> {
    if (one.kind === 'close') {
      now += 10 * MINUTE;
      for (let i = 0; i < one.times; i++) {
        const span = await index.closeSpan();
        if (span === undefined) break;
        closed.add(span.to - span.from);
      }
    } else if (one.kind === 'add') {
      const events = one.events.map(view);
      expect(await index.create(events)).toEqual(await plain.create(events));
    } else if (one.kind === 'reopen') {
      options.mostExactViews = one.mostExactViews;
      await reopen(30);
    } else {
      await reopen((now - FIRST - one.upTo) / DAY);
      expect(await index.retain()).toBe(await plain.retain());
      await reopen(30);
    }
  }

  async function reopen(retentionDays: number): Promise<void> {
    await close();
    index = await openDuckdbIndex({ path, ...options, retentionDays });
    plain = await openDuckdbIndex({ path: plainPath(), ...options, retentionDays });
  }

  async function expectSame(range: Range): Promise<void> {
    expect(await Promise.all(answers(index, range))).toEqual(await Promise.all(answers(plain, range)));
  }

  async function close(): Promise<void> {
    await index.close();
    await plain.close();
  }
}

function plainPath(): string {
  return join(folder.path, 'plain.duckdb');
}

/** When a span begins, in hours after `FIRST`, and how many hours it has. */
type Hours = [begins: number, hours: number];

/** Returns what was closed, in that order. */
async function closeAll(index: DuckdbIndex, most = Number.POSITIVE_INFINITY): Promise<Hours[]> {
  const all: Hours[] = [];
  while (all.length < most) {
    const span = await index.closeSpan();
    if (span === undefined) break;
    all.push([(span.from - FIRST) / HOUR, (span.to - span.from) / HOUR]);
  }
  return all;
}

async function spansIn(file: string): Promise<Hours[]> {
  const rows = await ask(file, 'SELECT begins, hours FROM closed_spans ORDER BY hours, begins');
  return rows.map(([begins, hours]) => [Number(begins) - FIRST / HOUR, Number(hours)]);
}

async function ask(file: string, question: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(question)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
