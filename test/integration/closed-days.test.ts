import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { HotItemEvent } from '../../event/event.ts';
import { type DuckdbIndex, openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import type { Range } from '../../store/event-questions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const FIRST = Date.UTC(2026, 10, 1);
/** Days with events, the last of which is not over. */
const DAYS = 5;
const NOW = FIRST + 4 * DAY + 12 * HOUR;

const kept = temporaryFolder('closed-days-kept');
afterAll(() => kept.remove());
let folder: { path: string; remove: () => void };
let path: string;
beforeEach(() => {
  folder = temporaryFolder('closed-days');
  path = join(folder.path, 'index.duckdb');
});
afterEach(() => folder.remove());

describe('Closed days of a DuckDB file', () => {
  test('give the answers that the events give, whatever is added and deleted, in whatever order', async () => {
    const both = await openBoth();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), ranges, async (steps, asked) => {
        for (const one of steps) await both.take(one);
        for (const range of asked) await both.expectSame(answersAboutItems, range);
      }),
      { numRuns: FULL ? 60 : 10, seed: 23 },
    );
    await both.close();
    expect(both.closed()).toBeGreaterThan(0);
  }, 120_000);

  test('give them also where there are too many views to count their visitors', async () => {
    for (const file of [path, plainPath()]) await copyFile(await manyViews(), file);
    const both = await openBoth();
    await closeAll(both.index());
    const [steps = []] = fc.sample(fc.array(step, { minLength: 12, maxLength: 12 }), { numRuns: 1, seed: 7 });
    for (const one of steps) await both.take(one);
    await both.take({ kind: 'close', times: 2 });

    await both.expectSame(answersAboutAll, { from: FIRST, to: FIRST + 4 * DAY });
    await both.expectSame(answersAboutAll, { from: FIRST + HOUR + 1, to: FIRST + 3 * DAY + HOUR });
    await both.close();
    expect((await daysOf(path)).length).toBeGreaterThan(0);
  }, 120_000);

  test('are computed from the latest on, when they are over for an hour, and not again', async () => {
    let now = FIRST + 3 * DAY + HOUR - 1;
    const index = await openDuckdbIndex({ path, now: () => now });
    await index.create([view({ time: FIRST + DAY / 2 }), view({ time: FIRST + 2 * DAY })]);

    expect([await index.closeDay(), await index.closeDay(), await index.closeDay()]).toEqual([
      FIRST + DAY,
      FIRST,
      undefined,
    ]);
    now++;
    expect([await index.closeDay(), await index.closeDay()]).toEqual([FIRST + 2 * DAY, undefined]);
    await index.close();
  });

  test('are computed again ten minutes after a late event, which deletes what is there; one that is there already deletes nothing', async () => {
    let now = FIRST + 3 * DAY;
    const index = await openDuckdbIndex({ path, now: () => now });
    const [early, late] = [view({ time: FIRST }), view({ time: FIRST + DAY - 1 })];
    await index.create([early]);
    await closeAll(index);
    await index.create([early, view({ time: now })]);
    await index.close();
    expect(await daysOf(path)).toEqual([FIRST / DAY, FIRST / DAY + 1]);

    const again = await openDuckdbIndex({ path, now: () => now });
    await again.create([late]);
    expect(await again.closeDay()).toBeUndefined();
    now += 10 * MINUTE;
    expect([await again.closeDay(), await again.closeDay()]).toEqual([FIRST, undefined]);
    expect(await again.itemViews({ item: '4711', from: FIRST, to: FIRST + DAY })).toMatchObject({ views: 2 });
    await again.close();
  });

  test('are computed also where one cannot be, which is tried again after ten minutes', async () => {
    let now = FIRST + 3 * DAY;
    const first = await openDuckdbIndex({ path, now: () => now });
    await first.create([view({ time: FIRST }), view({ time: FIRST + DAY })]);
    await first.close();
    await ask(
      path,
      `DROP TABLE closed_hours;
       CREATE TABLE closed_hours (day INTEGER NOT NULL CHECK (day <> ${FIRST / DAY + 1}), item VARCHAR, time TIMESTAMP_MS, views DOUBLE, total DOUBLE)`,
    );
    const index = await openDuckdbIndex({ path, now: () => now });

    await expect(index.closeDay()).rejects.toThrow('DuckDB cannot do this now');
    expect([await index.closeDay(), await index.closeDay()]).toEqual([FIRST, undefined]);
    now += 10 * MINUTE;
    await expect(index.closeDay()).rejects.toThrow('DuckDB cannot do this now');
    await index.close();
    expect(await daysOf(path)).toEqual([FIRST / DAY]);
  });

  test('are asked about in one state of the file: a late event is seen with all before it, or not at all', async () => {
    let now = FIRST + 3 * DAY;
    const index = await openDuckdbIndex({ path, now: () => now });
    const whole = { item: '4711', from: FIRST, to: FIRST + 2 * DAY };
    await index.create([view({ time: FIRST })]);
    for (let views = 1; views <= 25; views++) {
      now += 10 * MINUTE;
      await closeAll(index);
      const late = index.create([view({ time: FIRST + views })]);
      const answers = await Promise.all([1, 2, 3].map(() => index.itemViews(whole)));
      await late;
      for (const answer of answers) expect([views, views + 1]).toContain(answer?.views);
    }
    await index.close();
  });

  test('do not outlive events that the retention deletes, and a day that has lost some is not computed', async () => {
    let now = FIRST + 3 * DAY;
    const index = await openDuckdbIndex({ path, retentionDays: 3, now: () => now });
    await index.create([0, DAY - 1, DAY].map((after) => view({ time: FIRST + after })));
    await closeAll(index);
    now += 11 * MINUTE;

    expect(await index.retain()).toBe(1);

    now += 10 * MINUTE;
    expect(await index.closeDay()).toBeUndefined();
    expect(await index.itemViews({ item: '4711', from: FIRST, to: FIRST + 2 * DAY })).toMatchObject({
      views: 2,
    });
    await index.close();
    expect(await daysOf(path)).toEqual([FIRST / DAY + 1]);
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
    expect(await daysOf(path)).toEqual([]);
  });

  test('equal their events after kill -9 while late events are added and days are computed', async () => {
    await (await openDuckdbIndex({ path })).close();
    for (const batches of FULL ? [20, 45, 70] : [45]) {
      const child = fork(join(import.meta.dirname, 'closed-days-writer.ts'), [path], {
        execArgv: ['--import', 'tsx'],
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
    expect((await daysOf(path)).slice(0, 3)).toEqual([0, 1, 2].map((day) => FIRST / DAY + day));
    expect(await ask(path, UNEQUAL)).toEqual([]);
  }, 120_000);

  test('that are being computed are given up when the file is closed', async () => {
    await copyFile(await manyViews(), path);
    const index = await openDuckdbIndex({ path, now: () => NOW });

    const closing = expect(index.closeDay()).rejects.toThrow('the index is closed');
    await index.newest();
    await index.close();

    await closing;
    expect(await daysOf(path)).toEqual([]);
  });

  test('estimate visitors as well as the events do: 5 % off on average, and a visitor of two days is one', async () => {
    await copyFile(await manyViews(), path);
    const index = await openDuckdbIndex({ path, now: () => NOW });
    await closeAll(index);

    const items = await index.topItems({ from: FIRST, to: FIRST + 3 * DAY, limit: 300 });

    const off = items.map(({ visitors }) => Math.abs(visitors - 2_000) / 2_000);
    expect(items.every(({ views, estimated }) => views === 4_000 && estimated)).toBe(true);
    expect(off.reduce((sum, one) => sum + one) / off.length).toBeLessThan(0.06);
    expect(Math.max(...off)).toBeLessThan(0.25);
    expect(await index.itemViews({ from: FIRST, to: FIRST + 3 * DAY, item: 'item 7' })).toMatchObject({
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
  | { kind: 'reopen' };

/** With more views a range has too many to count their visitors. */
const MANY = 1_200_000;
/** A file with them: of each of 300 items 2,000 visitors, each on two days. */
async function manyViews(): Promise<string> {
  const file = join(kept.path, 'many.duckdb');
  if (existsSync(file)) return file;
  await (await openDuckdbIndex({ path: file })).close();
  await ask(
    file,
    `INSERT INTO events (id, time, uri, item, ip, host, weight)
     SELECT uuid(), make_timestamp_ms(${FIRST} + (nth // ${MANY / 2}) * ${DAY} + (nth * 7919) % ${DAY}), '/', 'item ' || nth % 300, nth % ${MANY / 2}, 'shop.example', 1
     FROM range(${MANY}) numbers(nth)`,
  );
  return file;
}

/** Days here of which the views or visitors of an item are not those of the events. */
const UNEQUAL = `
  WITH counted AS (
    SELECT epoch_ms(time) // ${DAY} AS day, item, sum(weight) AS total, count(DISTINCT ip) AS visitors FROM events GROUP BY ALL
  ), here AS (
    SELECT day, item, total, len(visitors) AS visitors FROM closed_items JOIN closed_visitors USING (day, item)
  )
  SELECT * FROM counted FULL JOIN here USING (day, item)
  WHERE day IN (SELECT day FROM closed_days)
    AND (counted.total IS DISTINCT FROM here.total OR counted.visitors IS DISTINCT FROM here.visitors)`;

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
      events: fc.array(event, { minLength: 1, maxLength: 30 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('close' as const), times: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      upTo: fc.integer({ min: 0, max: 2 * HOUR }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);
/** Of hours, of days, and of neither. */
const moment = fc.oneof(
  fc.integer({ min: 0, max: DAYS }).map((days) => FIRST + days * DAY),
  fc.integer({ min: 0, max: DAYS * 24 }).map((hours) => FIRST + hours * HOUR),
  fc.integer({ min: FIRST - DAY, max: FIRST + DAYS * DAY }),
);
const ranges = fc.array(
  fc
    .tuple(moment, moment)
    .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) + 1 - 1 })),
  { minLength: 2, maxLength: 3 },
);

type Ask = (index: DuckdbIndex, range: Range) => Promise<unknown>[];

function answersAboutItems(index: DuckdbIndex, range: Range): Promise<unknown>[] {
  const item = 'a';
  return [
    index.itemViews({ ...range, item }),
    index.timeLine({ ...range, item, stepMs: HOUR }),
    index.timeLine({ ...range, stepMs: 3 * HOUR }),
    index.timeLine({ ...range, item, stepMs: 7 * HOUR + 1 }),
    index.sources({ ...range, item, by: 'referrer', limit: 3 }),
    index.sources({ ...range, item: "c'", by: 'host', limit: 3 }),
    index.sources({ ...range, item, by: 'utm_source', limit: 3 }),
  ];
}

function answersAboutAll(index: DuckdbIndex, range: Range): Promise<unknown>[] {
  return [
    index.totals(range),
    index.topItems({ ...range, limit: 10 }),
    index.topItems({ ...range, limit: 2, rank: 'all', search: 'MUG' }),
    index.topItems({ ...range, limit: 1000, category: 'Shoes', search: 'a' }),
    index.topCategories({ ...range, limit: 3 }),
    index.topCategories({ ...range, limit: 3, rank: 'all' }),
    index.itemViews({ ...range, item: 'item 7' }),
  ];
}

/** Two files with the same events: in one of them days are closed. */
async function openBoth() {
  const options = { retentionDays: 30, now: () => now };
  let now = NOW;
  let index = await openDuckdbIndex({ path, ...options });
  let plain = await openDuckdbIndex({ path: plainPath(), ...options });
  /** How many days were computed. */
  let closed = 0;
  return { index: () => index, closed: () => closed, take, expectSame, close };

  async function take(one: Step): Promise<void> {
    if (one.kind === 'close') {
      now += 10 * MINUTE;
      for (let i = 0; i < one.times; i++) if ((await index.closeDay()) !== undefined) closed++;
    } else if (one.kind === 'add') {
      const events = one.events.map(view);
      expect(await index.create(events)).toEqual(await plain.create(events));
    } else if (one.kind === 'reopen') {
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

  async function expectSame(about: Ask, range: Range): Promise<void> {
    expect(await Promise.all(about(index, range))).toEqual(await Promise.all(about(plain, range)));
  }

  async function close(): Promise<void> {
    await index.close();
    await plain.close();
  }
}

function plainPath(): string {
  return join(folder.path, 'plain.duckdb');
}

async function closeAll(index: DuckdbIndex): Promise<void> {
  while ((await index.closeDay()) !== undefined);
}

async function daysOf(file: string): Promise<number[]> {
  const rows = await ask(file, 'SELECT day FROM closed_days ORDER BY day');
  return rows.map(([day]) => Number(day));
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
