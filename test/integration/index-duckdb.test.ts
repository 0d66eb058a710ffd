import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type DuckdbIndex, openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import { DuckdbFileError } from '../../store/duckdb/file.ts';
import { bundleScript } from '../parts/bundle-script.ts';
import { writeEndlessIndex } from '../parts/endless-duckdb.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { createLongWork } from '../parts/long-work.ts';
import { until } from '../parts/until.ts';
import { itIsAnIndex, view } from './index-contract.ts';
import { itAnswersQuestions } from './questions-contract.ts';

const DAY = 86_400_000;

describe('DuckDB', () => {
  const folder = temporaryFolder('duckdb');
  const path = join(folder.path, 'contract.duckdb');
  let index: DuckdbIndex;
  beforeAll(async () => {
    index = await openDuckdbIndex({ path });
  });
  afterAll(async () => {
    await index.close();
    folder.remove();
  });

  itIsAnIndex({
    index: () => index,
    refresh: async () => {},
    async stored(id) {
      await index.close();
      const rows = await ask(path, `SELECT uri, args, item, ua, ref FROM events WHERE id = '${id}'`);
      index = await openDuckdbIndex({ path });
      return rows.map(([uri, args, item, ua, ref]) => ({ uri, args, item, ua, ref }));
    },
  });
  itAnswersQuestions({ index: () => index, decisions: () => index.decisions, refresh: async () => {} });
});

describe('A DuckDB file', () => {
  let folder: { path: string; remove: () => void };
  let path: string;
  beforeEach(() => {
    folder = temporaryFolder('duckdb');
    path = join(folder.path, 'index.duckdb');
  });
  afterEach(() => folder.remove());

  test('counts the visitors of few items however many views there are; of many it estimates them, and says so', async () => {
    await (await openDuckdbIndex({ path })).close();
    const from = Date.UTC(2026, 8, 1);
    const to = from + DAY;
    // 200 visitors of each item, of whom each comes twice and more.
    await ask(
      path,
      `INSERT INTO events (id, time, uri, item, ip, node, weight)
         SELECT uuid(), make_timestamp_ms(CASE WHEN nth % 2 = 0 THEN ${from} ELSE ${from + DAY} END), '/', item, item || ' ' || nth // 500 % 200, 'web-1', 1
         FROM (SELECT nth, CASE WHEN nth % 2 = 0 THEN 'one of few ' || nth % 20 ELSE 'one of many ' || nth % 500 END AS item FROM range(220000) numbers(nth))`,
    );
    const index = await openDuckdbIndex({ path, mostExactViews: 100_000 });

    const few = await index.topItems({ from, to, limit: 10_000 });
    expect(few).toHaveLength(10);
    const many = await index.topItems({ from: to, to: to + DAY, limit: 10_000 });
    expect(many).toHaveLength(250);
    expect(few.every(({ visitors, estimated }) => visitors === 200 && estimated === undefined)).toBe(true);
    const off = many.map(({ visitors }) => Math.abs(visitors - 200) / 200);
    expect(many.every(({ estimated }) => estimated)).toBe(true);
    expect(Math.max(...off)).toBeLessThan(0.3);
    expect(off.reduce((sum, one) => sum + one) / off.length).toBeLessThan(0.08);
    const whole = { from, to: to + DAY };
    expect(await index.itemViews({ ...whole, item: 'one of many 1' })).toMatchObject({ visitors: 200 });
    const total = await index.totals(whole);
    expect(total).toMatchObject({ items: 260, estimated: true });
    expect(Math.abs(total.visitors - 52_000) / 52_000).toBeLessThan(0.2);
    await index.close();
  });

  test('keeps every field of an event', async () => {
    const index = await openDuckdbIndex({ path });
    const event = view({
      raw: '/web//item/4711.html',
      args: 'from=mail',
      host: 'www.example.com',
      method: 'GET',
      ua: 'Mozilla/5.0',
      ref: 'https://www.example.com/',
      node: 'web-1',
      weight: 2.5,
      cut: ['ua', 'ref'],
      bot: true,
    });
    await index.create([event]);
    await index.close();

    const [row] = await ask(
      path,
      `SELECT 1, replace(id::VARCHAR, '-', ''), epoch_ms(time), uri, raw, args, item, ip, host, method, ua, ref, node,
         weight, to_json(cut)::VARCHAR, bot FROM events`,
    );
    const { v, id, time, uri, raw, args, item, ip, host, method, ua, ref, node, weight, cut } = event;
    const fields = [v, id, BigInt(time), uri, raw, args, item, ip, host, method, ua, ref, node, weight];
    expect(row).toEqual([...fields, JSON.stringify(cut), true]);
  });

  test('yields while it reads many records that are not events', async () => {
    const index = await openDuckdbIndex({ path });
    const work = createLongWork();
    function* events() {
      for (const one of [view(), undefined, undefined, undefined, undefined, view()]) {
        work.piece();
        yield one;
      }
    }
    expect(await index.create(events())).toEqual([{ status: 'created' }, { status: 'created' }]);
    await index.close();
    expect(work.turns()).toBeGreaterThanOrEqual(2);
  });

  test('keeps its events when it is opened again', async () => {
    const event = view();
    const before = await openDuckdbIndex({ path });
    await before.create([event]);
    await before.close();

    const index = await openDuckdbIndex({ path });

    expect(await index.create([event])).toEqual([{ status: 'exists' }]);
    await index.close();
  });

  test('has each event once after kill -9 in the middle of creating and a retry of everything', async () => {
    const child = fork(bundleScript(join(import.meta.dirname, 'index-duckdb-writer.ts')), [path], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let acknowledged = 0;
    child.on('message', (count: number) => {
      acknowledged = count;
    });
    await until(() => acknowledged >= 3_000, { timeoutMs: 60_000, what: 'the writer to create some events' });
    child.kill('SIGKILL');
    await once(child, 'exit');

    const index = await openDuckdbIndex({ path });
    const survived = (await index.stats()).events;
    const events = Array.from({ length: survived + 1_000 }, (_, i) => view(numbered(i)));
    const outcomes = await index.create(events);
    await index.close();

    expect(survived).toBeGreaterThanOrEqual(acknowledged);
    expect(survived % 100).toBe(0);
    expect(outcomes.filter(({ status }) => status === 'exists')).toHaveLength(survived);
    expect(await ask(path, 'SELECT count(*), count(DISTINCT id) FROM events')).toEqual([
      [BigInt(events.length), BigInt(events.length)],
    ]);
  });

  test('is in use by another process: the error names it', async () => {
    const child = fork(bundleScript(join(import.meta.dirname, 'index-duckdb-writer.ts')), [path], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');

    await expect(openDuckdbIndex({ path })).rejects.toThrow(
      `${path} is in use by process ${child.pid}, and DuckDB allows one process per file: stop that process, or set another duckdb.path`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('of a newer version is not changed', async () => {
    await (await openDuckdbIndex({ path })).close();
    await ask(path, 'UPDATE hotitem SET schema_version = 99');

    await expect(openDuckdbIndex({ path })).rejects.toThrow(
      'has schema version 99, this hotitem supports 6: run the newer version',
    );
  });

  test('is not a DuckDB file: it is not changed', async () => {
    writeFileSync(path, 'id;time\n'.repeat(1000));

    const opening = openDuckdbIndex({ path });

    await expect(opening).rejects.toThrow(DuckdbFileError);
    await expect(opening).rejects.toThrow('is not a DuckDB file: move it');
  });

  test('deletes events that are older than the retention, and nothing else', async () => {
    const now = Date.UTC(2026, 10, 20);
    const index = await openDuckdbIndex({ path, retentionDays: 2, now: () => now });
    const times = [now - 5 * DAY, now - 2 * DAY - 1, now - 2 * DAY, now];
    await index.create(times.map((time) => view({ time })));

    expect(await index.retain()).toBe(2);
    expect(await index.retain()).toBe(0);
    expect(await index.stats()).toMatchObject({ events: 2, oldest: now - 2 * DAY });
    await index.close();
  });

  test.each(['at once', 'while it runs'])('cancels a query that is aborted %s', async (when) => {
    await writeEndlessIndex(path);
    const index = await openDuckdbIndex({ path });
    const asker = new AbortController();

    const question = index.topItems({ from: 0, to: Date.now() + DAY, limit: 10 }, asker.signal);
    question.catch(() => {});
    if (when === 'while it runs') await untilBusy();
    asker.abort(new Error('the client disconnected'));

    await expect(question).rejects.toThrow('the client disconnected');
    await index.close();
  });

  test('is closed while a query or a change runs', async () => {
    await writeEndlessIndex(path);
    const index = await openDuckdbIndex({ path });
    const query = { from: 0, to: Date.now() + DAY, limit: 10 };
    const running = [index.topItems(query), index.create([view()]), index.topItems(query), index.retain()];
    const outcomes = Promise.allSettled(running);
    await untilBusy();

    await index.close();

    for (const { status } of await outcomes) expect(status).toBe('rejected');
    await expect(running[0]).rejects.toThrow('the index is closed');
    await expect(running[1]).rejects.toThrow('the index is closed');
  });

  test('does nothing more once it is closed', async () => {
    const index = await openDuckdbIndex({ path });
    await index.close();

    await expect(index.create([view()])).rejects.toThrow('the index is closed');
    await expect(index.topItems({ from: 0, to: 1, limit: 1 })).rejects.toThrow('the index is closed');
  });
});

/** Until this process has computed for a while, as it does for DuckDB only. */
async function untilBusy(): Promise<void> {
  const { user } = process.cpuUsage();
  await until(() => process.cpuUsage().user - user > 300_000, {
    timeoutMs: 60_000,
    what: 'DuckDB to compute',
  });
}

function numbered(i: number): { id: string } {
  return { id: i.toString(16).padStart(32, '0') };
}

async function ask(path: string, question: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const answer = await connection.runAndReadAll(question);
  connection.closeSync();
  instance.closeSync();
  return answer.getRows();
}
