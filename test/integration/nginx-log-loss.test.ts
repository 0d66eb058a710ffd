import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { FULL } from '../parts/full.ts';
import { steady } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type LogShop, startLogShop } from './nginx-log-shop.ts';

jest.setTimeout(180_000);

/** How many lines nginx has written at each kill of the sidecar. */
const KILLS = FULL ? [300, 900, 1500] : [300, 900];
const LOAD_SECONDS = FULL ? 5 : 3;

let shop: LogShop;

suiteWith(['nginx'])('with the transport log,', () => {
  beforeAll(async () => {
    shop = await startLogShop(await obtainNginx({ suite: 'trixie', report }), { workers: 2 });
  });
  beforeEach(() => shop.fresh());
  afterAll(() => shop?.close());

  test('reloads under load lose nothing', async () => {
    const before = (await shop.accounts()).sidecar?.accepted ?? 0;
    const load = steady({ port: shop.port, ratePerSecond: 300, seconds: LOAD_SECONDS, path: pathOf });
    for (let reload = 0; reload < 3; reload++) await shop.nginx.reload();
    const answered = (await load).filter(({ status }) => status === 200).length;

    // A connection that a reload closes may have been asked on, and the page not come: captured or not, it is no answer.
    const { sidecar } = await settled(answered);
    expect((sidecar?.accepted ?? 0) - before).toBe((await shop.lines()).length);
    expect(sidecar).toMatchObject({ bad: 0, unaccounted: 0 });
  });

  test('a quit of nginx waits for the views in flight', async () => {
    const { page } = await hangingView();
    const quit = shop.nginx.quit();
    shop.release();
    expect((await page)?.status).toBe(200);
    await quit;

    expect((await shop.fields(2)).map(({ item }) => item)).toEqual(['1', 'hanging']);
    await shop.settle(2);
  });

  test('a fast stop of nginx loses the views in flight and no others', async () => {
    const { page } = await hangingView();
    await shop.nginx.stop();
    expect(await page).toBeUndefined();
    await shop.nginx.start();
    await shop.get('/web/item/2.html');

    expect((await shop.fields(2)).map(({ item }) => item)).toEqual(['1', '2']);
    await shop.settle(2);
  });

  test('a kill -9 of the workers loses the views in flight and no others', async () => {
    const { page } = await hangingView();
    for (const worker of await shop.nginx.workers()) process.kill(worker, 'SIGKILL');
    expect(await page).toBeUndefined();
    await until(
      () =>
        shop.get('/web/item/2.html').then(
          ({ status }) => status === 200,
          () => false,
        ),
      {
        timeoutMs: 60_000,
        what: 'the next workers',
      },
    );

    expect((await shop.fields(2)).map(({ item }) => item)).toEqual(['1', '2']);
    await shop.settle(2);
  });

  test('kill -9 of all of nginx under load: answered views are indexed once', async () => {
    const load = steady({ port: shop.port, ratePerSecond: 500, seconds: 3, path: pathOf, connections: 4 });
    await until(async () => (await shop.lines()).length > 300, { timeoutMs: 60_000, what: 'some views' });
    await shop.nginx.kill();
    await shop.nginx.start();
    const answered = (await load).filter(({ status }) => status === 200).length;

    // A view may be written and its answer not have come, and the other way round only within the instant of the kill.
    const written = (await shop.lines()).length;
    expect(written).toBeGreaterThanOrEqual(answered - 4);
    const { sidecar } = await shop.settle(written);
    expect(sidecar).toMatchObject({ bad: 0, duplicate: 0 });
  });

  test('kill -9 of the sidecar under load: each line is in the index once', async () => {
    const [before, views] = [await indexedViews(), 500 * LOAD_SECONDS];
    const load = steady({ port: shop.port, ratePerSecond: 500, seconds: LOAD_SECONDS, path: pathOf });
    for (const written of KILLS) {
      await until(async () => (await shop.lines()).length > written, {
        timeoutMs: 60_000,
        what: `${written} lines`,
      });
      await shop.sidecar.kill();
      await shop.sidecar.start();
    }
    expect((await load).filter(({ status }) => status !== 200)).toEqual([]);

    // nginx writes its log after the answer.
    await until(async () => (await shop.lines()).length >= views, {
      timeoutMs: 60_000,
      what: 'the last line',
    });
    expect(await shop.lines()).toHaveLength(views);
    await until(async () => (await indexedViews()) === before + views, {
      timeoutMs: 60_000,
      what: `${views} views in the index`,
      detail: async () => `${await indexedViews()}\n${await shop.logs()}`,
    });
  });

  test('a sidecar that starts later ingests what was written before', async () => {
    await shop.sidecar.stop();
    for (let i = 1; i <= 20; i++) await shop.get(pathOf(i));
    await shop.sidecar.start();

    expect((await shop.settle(20)).sidecar).toMatchObject({ accepted: 20, duplicate: 0 });
  });

  test('a missing spill folder fails no page, and is used once it exists', async () => {
    const spill = join(shop.home, 'spill');
    await shop.sidecar.stop();
    await rm(spill, { recursive: true });
    // The workers keep their logs open for a while.
    await shop.nginx.reload();
    expect((await shop.get('/web/item/1.html')).status).toBe(200);
    // nginx logs after the answer.
    const isTold = async () => /log-.*failed \(2: No such file/.test(await shop.nginx.errorLog());
    await until(isTold, { timeoutMs: 60_000, what: 'nginx to miss the folder' });
    await mkdir(spill);
    await until(() => shop.get('/web/item/2.html').then(async () => (await shop.lines()).length > 0), {
      timeoutMs: 60_000,
      what: 'a line',
      everyMs: 200,
    });
  });
});

/** After a view of item 1, one of the item `hanging` whose page does not come. Undefined: no answer. */
async function hangingView() {
  await shop.get('/web/item/1.html');
  await shop.fields(1);
  // In an object: to await it must not mean to await the page.
  const page = shop.get('/product?id=hanging&hang').catch(() => undefined);
  await until(() => shop.hanging() === 1, { timeoutMs: 60_000, what: 'the request' });
  return { page };
}

function pathOf(i: number): string {
  return `/web/item/${(i % 100) + 1}.html?v=${i}`;
}

/** Waits until the sidecar has all lines, which are that many at least. */
async function settled(atLeast: number): Promise<Accounts> {
  await until(async () => (await shop.lines()).length >= atLeast, {
    timeoutMs: 60_000,
    what: `${atLeast} lines`,
  });
  return shop.settle((await shop.lines()).length);
}

async function indexedViews(): Promise<number> {
  const { items } = await shop.sidecar.json<{ items: { all: number }[] }>(
    '/api/v1/items?window=1h&limit=200&rank=all',
  );
  return items.reduce((sum, { all }) => sum + all, 0);
}
