import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import type { WholeHotList } from '../../heat/hot-list.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import { createSocketLookup, hasSocketLookup } from '../../store/duckdb/socket-lookup.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { steady, views } from '../parts/load.ts';
import { withoutLate } from '../parts/nginx-late.ts';
import { freePort } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { type Service, startService } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { lineAt, postLines } from './post-lines.ts';
import { type ExpectedView, expectedViews, plain, TOTAL } from './views.ts';

jest.setTimeout(180_000);
/** Views before all others. */
const FEW = 3;
/** Of the sidecar, one every one and a half second. */
const KILLS = FULL ? 3 : 1;

suiteWith(['nginx'])('nginx → sidecar → DuckDB, with nothing else', () => {
  let build: NginxBuild;
  let chain: Chain;

  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
  });
  afterEach(() => chain?.close());

  test(`${TOTAL} views of 300 items, 50 of them unusual: each is in DuckDB once, with its request; the ranking answers queries, and says what is wrong with an invalid one`, async () => {
    chain = await startChain({ build });
    await askRanking();
    const expected = expectedViews();
    const began = Date.now();
    const sent = await views({ port: chain.port, paths: expected.map(({ path }) => path), connections: 20 });
    const ended = Date.now();
    expect(sent.filter(({ status, error }) => error !== undefined || status >= 500)).toEqual([]);
    const all = FEW + expected.length;
    const { sidecar, sink } = await chain.settle(all);
    expect(sidecar).toMatchObject({
      accepted: all,
      bad: 0,
      delivered: all,
      unaccounted: 0,
    });
    expect(sink).toMatchObject({ consumed: all, indexed: all, existing: 0, dead: 0 });
    const rows = (await rowsOf(chain)).filter(({ args }) => args !== '');
    expect(rows.map(({ time, ...row }) => row)).toEqual(expected.map(expectedRow).toSorted(byQuery));
    expect(Math.min(...rows.map(({ time }) => time))).toBeGreaterThanOrEqual(began);
    expect(Math.max(...rows.map(({ time }) => time))).toBeLessThanOrEqual(ended);
    expect(withoutLate(await chain.nginx.errorLog())).not.toMatch(
      /\[(alert|emerg|crit)\]|exception|pending events/,
    );
  });

  test('the same with nginx 1.22.1 and njs 0.7.9', async () => {
    chain = await startChain({ build: await obtainNginx({ suite: 'bookworm', report }) });
    const expected = expectedViews().filter((_, i) => i % (TOTAL / 250) === 0);
    await views({ port: chain.port, paths: expected.map(({ path }) => path), connections: 20 });
    const { sidecar } = await chain.settle(expected.length);
    expect(sidecar).toMatchObject({ accepted: expected.length, bad: 0, unaccounted: 0 });
    const rows = await rowsOf(chain);
    expect(rows.map(({ time, ...row }) => row)).toEqual(expected.map(expectedRow).toSorted(byQuery));
  });

  test('a sidecar killed with -9 under load: no page fails, and each view is indexed once', async () => {
    chain = await startChain({ build });
    const seconds = 2 + 2 * KILLS;
    const expected = Array.from({ length: 300 * seconds }, (_, i) => plain((i % 100) + 1, `v=${i}`));
    const load = steady({
      port: chain.port,
      ratePerSecond: 300,
      seconds,
      path: (i) => expected[i]?.path ?? '/',
    });
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(1_000);
      await chain.sidecar.kill();
      await sleep(500);
      await chain.sidecar.start();
    }
    const sent = await load;
    expect(sent.filter(({ status }) => status !== 200)).toEqual([]);
    await until(async () => (await viewsInRanking(chain)) >= expected.length, {
      timeoutMs: 60_000,
      what: 'all views to be indexed',
      detail: () => chain.logs(),
    });
    expect((await rowsOf(chain)).map(({ time, ...row }) => row)).toEqual(
      expected.map(expectedRow).toSorted(byQuery),
    );
  });

  test('a catalogue names items in the index, the API and the hot list; what it does not have is never hot', async () => {
    const { path: dir, remove } = temporaryFolder('shop');
    try {
      const file = join(dir, 'catalogue.csv');
      const rules = join(dir, 'rules.yml');
      const hostile = '<script>alert(1)</script>';
      writeFileSync(file, `id,name,category\n1,Shoe,Shoes\n2,${hostile},Hats\n,no id,\n`);
      // Hot for as long as the test may take on a busy machine.
      writeFileSync(rules, 'rules: [{ catalogue_only: true, busy: { dwell_seconds: 600 } }]\n');
      const env = { HOTITEM_CATALOGUE_FILE: file, HOTITEM_HEAT_RULES: rules };
      chain = await startChain({ build, env });
      const catalogue = () => chain.sidecar.json<{ rows: number; failure?: string }>('/api/v1/catalogue');
      await until(async () => (await catalogue()).rows > 0, {
        timeoutMs: 60_000,
        what: 'the catalogue to be loaded',
        detail: chain.logs,
      });
      expect(await catalogue()).toMatchObject({ rows: 2, rejected: 1, categories: ['Hats', 'Shoes'] });
      const paths = ['1', '2', 'scan'].flatMap((item) => Array(400).fill(`/web/item/${item}.html`));
      await views({ port: chain.port, paths, connections: 20 });
      await until(async () => (await hotNames(chain)).length === 2, {
        timeoutMs: 60_000,
        what: 'two hot items',
        detail: chain.logs,
      });
      expect(await hotNames(chain)).toEqual([
        ['1', { name: 'Shoe', category: 'Shoes' }],
        ['2', { name: hostile, category: 'Hats' }],
      ]);
      await chain.settle(paths.length);
      expect(await chain.sidecar.json('/api/v1/items?category=Shoes&search=SHOE&rank=all')).toMatchObject({
        category: 'Shoes',
        items: [{ item: '1', all: 400, catalogue: { name: 'Shoe', category: 'Shoes' } }],
      });

      writeFileSync(file, 'id,name\n1,Half a na');
      await until(async () => (await catalogue()).failure !== undefined, {
        timeoutMs: 60_000,
        what: 'the half-written file to be refused',
        detail: chain.logs,
      });
      expect(await catalogue()).toMatchObject({ rows: 2, failure: expect.stringMatching('half-written') });
      expect(await chain.sidecar.metric('hotitem_catalogue_failed')).toBe(1);

      writeFileSync(`${file}.new`, 'id,name\n1,New\n');
      renameSync(`${file}.new`, file);
      await until(async () => (await hotNames(chain)).length === 1, {
        timeoutMs: 60_000,
        what: 'what is in the catalogue no more to be hot no more',
        detail: chain.logs,
      });
      expect(await hotNames(chain)).toEqual([['1', { name: 'New' }]]);
    } finally {
      await chain.close();
      remove();
    }
  });

  /** `FEW` views, and what the ranking says of them. */
  async function askRanking(): Promise<void> {
    await views({ port: chain.port, paths: ['/web/item/1.html', '/web/item/2.html', '/web/item/2.html'] });
    await chain.settle(FEW);
    expect(await chain.sidecar.json('/api/v1/items?window=1m&limit=1')).toMatchObject({
      window: '1m',
      rank: 'people',
      items: [{ item: '2', views: 2, all: 2, visitors: 1 }],
    });
    expect(await chain.sidecar.json('/api/v1/items?window=soon')).toEqual({
      error: 'window: must be like 90s, 5m, 24h or 7d, at most 31d (got "soon")',
    });
    expect(await chain.sidecar.json('/api/v1/items?limit=1e9')).toEqual({
      error: 'limit: must be a whole number from 1 to 10000 (got "1e9")',
    });
    expect(await chain.sidecar.json('/api/v1/items?search=%00')).toEqual({
      error: 'search: must be up to 128 characters, none of them a control character (got "\\u0000")',
    });
    expect(await chain.sidecar.json('/api/v1/catalogue')).toEqual({
      error: 'there is no catalogue: catalogue.file is not set',
    });
  }
});

describe('a DuckDB file that another process reads', () => {
  let home: string;
  let remove: () => void;
  let reader: DuckDBInstance;
  let sidecar: Service;
  beforeEach(async () => {
    ({ path: home, remove } = temporaryFolder('held'));
    const path = join(home, 'duckdb/hotitem.duckdb');
    mkdirSync(join(home, 'duckdb'));
    await (await openDuckdbIndex({ path })).close();
    reader = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
    const admin = `127.0.0.1:${await freePort()}`;
    const env = { HOTITEM_HOME: home, HOTITEM_ADMIN_LISTEN: admin };
    const logFile = join(home, 'sidecar.log');
    sidecar = await startService({ args: ['sidecar'], env, admin, logFile, waitFor: '/livez' });
  });
  afterEach(async () => {
    await sidecar.stop();
    remove();
  });

  test('does not prevent the sidecar from starting and ingesting; indexing resumes when the reader closes it', async () => {
    const socket = join(home, 'run/intake.sock');
    await postLines(socket, [lineAt(Date.now()), lineAt(Date.now())]);
    const inUse = new RegExp(
      `^index: .*hotitem.duckdb is in use by process ${process.pid}, .*stop that process`,
      'm',
    );
    await until(async () => inUse.test(await sidecar.text('/readyz?verbose')), {
      timeoutMs: 60_000,
      what: 'readiness to name the process',
      detail: () => sidecar.text('/readyz?verbose'),
    });
    expect(await sidecar.metric('hotitem_sink_index_up')).toBe(0);
    expect(await sidecar.json('/api/v1/items')).toMatchObject({ error: expect.any(String) });
    expect(await sidecar.json('/api/v1/accounting')).toMatchObject({
      sidecar: { accepted: 2, waiting: 2, unaccounted: 0 },
    });
    // Commands go on asking the process that will have it, and do not take the file from it.
    const control = join(home, 'run/control.sock');
    expect(await hasSocketLookup(control)).toBe(true);
    await expect(createSocketLookup(control).count(['a'])).rejects.toThrow('503');
    // One line of each kind, however often it is tried.
    const said = sidecar
      .log()
      .split('\n')
      .filter((line) => line.includes('in use by process'));
    expect(said.length).toBeLessThanOrEqual(2);

    reader.closeSync();
    const accounts = () => sidecar.json<Accounts>('/api/v1/accounting');
    await until(async () => (await accounts()).sink?.indexed === 2, {
      timeoutMs: 60_000,
      what: 'the events to be indexed',
      detail: sidecar.log,
    });
    const ready =
      'spool: ok\nintake: ok\ncontrol socket: ok\nspill: ok\nsink: ok\ndecisions: ok\nindex: ok\n';
    await until(async () => (await sidecar.text('/readyz?verbose')) === ready, {
      timeoutMs: 60_000,
      what: 'all to be ready',
      detail: () => sidecar.text('/readyz?verbose'),
    });
    expect(await sidecar.metric('hotitem_sink_index_up')).toBe(1);
  });

  test('is opened when the reader closes it, also if there is nothing to index', async () => {
    reader.closeSync();

    await until(async () => (await sidecar.text('/readyz')) === 'ok\n', {
      timeoutMs: 60_000,
      what: 'the index to be ready',
      detail: sidecar.log,
    });
    expect(await sidecar.json('/api/v1/items')).toMatchObject({ items: [] });
  });
});

/** Hot items with what the catalogue says. */
async function hotNames(chain: Chain): Promise<[string, unknown][]> {
  const { hot } = await chain.sidecar.json<WholeHotList>('/api/v1/hot');
  return [...new Map(hot.map(({ item, catalogue }) => [item, catalogue]))].toSorted();
}

type Row = { uri: string; args: string; item: string; ip: string; time: number };

/** Everything in the index, by query. Stops the sidecar: DuckDB gives its file to one process. */
async function rowsOf(chain: Chain): Promise<Row[]> {
  await chain.sidecar.stop();
  const instance = await DuckDBInstance.create(join(chain.home, 'duckdb/hotitem.duckdb'), {
    access_mode: 'READ_ONLY',
  });
  const connection = await instance.connect();
  const found = await connection.runAndReadAll('SELECT uri, args, item, ip, epoch_ms(time) FROM events');
  const rows = found.getRows().map(([uri, args, item, ip, time]) => ({
    uri: String(uri),
    args: String(args ?? ''),
    item: String(item),
    ip: String(ip),
    time: Number(time),
  }));
  connection.closeSync();
  instance.closeSync();
  return rows.toSorted(byQuery);
}

/** Of all items; there are fewer than a ranking may hold. */
async function viewsInRanking(chain: Chain): Promise<number> {
  const { items } = await chain.sidecar.json<{ items: { all: number }[] }>(
    '/api/v1/items?window=1h&limit=200&rank=all',
  );
  return items.reduce((sum, { all }) => sum + all, 0);
}

function expectedRow({ uri, args, item }: ExpectedView): Omit<Row, 'time'> {
  return { uri, args, item, ip: '127.0.0.1' };
}

function byQuery(a: { args: string }, b: { args: string }): number {
  return Number(a.args.slice(2)) - Number(b.args.slice(2));
}
