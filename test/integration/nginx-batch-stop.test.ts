import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { NginxEngine } from '../../nginx-setup/includes.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { upgradableNginx } from '../parts/nginx.ts';
import { withoutLate } from '../parts/nginx-late.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';

import { startShop, type TestShop } from './nginx-shop.ts';
import { runHotitem } from './run-hotitem.ts';
import { chooseTransport } from './transport.ts';

jest.setTimeout(180_000);

const WAIT_MS = 60_000;
/** The zone waits for longer where it waits. */
const AT_ONCE_MS = 4_500;
const VIEWS = 40;
const REPEAT = FULL ? 20 : 2;
/** With a command each time. */
const DRAINS = FULL ? 20 : 1;

const EVERYWHERE: [Suite, NginxEngine][] = [
  ['trixie', 'njs'],
  ['sid', 'njs'],
  ['sid', 'qjs'],
];

suiteWith(['nginx'])('batch, when nginx stops', () => {
  describe.each(FULL ? EVERYWHERE : EVERYWHERE.filter(([, engine], i) => i === 0 || engine === 'qjs'))(
    'of %s with %s',
    stopping,
  );
});

test('a drain without an nginx fails, and leaves no file behind', async () => {
  const { path: home, remove } = temporaryFolder('drain');
  const spill = join(home, 'spill');
  mkdirSync(spill);
  const env = { HOTITEM_HOME: home, HOTITEM_SPILL_DIR: spill };
  const { code, stderr } = await runHotitem(['nginx', 'drain', '--timeout', '1'], env);
  expect(code).toBe(1);
  expect(stderr).toContain('nginx did not empty its zone within 1 s');
  expect(existsSync(join(spill, 'drain'))).toBe(false);
  remove();
});

/** Each counter by its name. */
type Report = Record<string, number>;

function sum(...counts: (number | undefined)[]): number {
  return counts.reduce<number>((all, count = Number.NaN) => all + count, 0);
}

function stopping(suite: Suite, engine: NginxEngine): void {
  let shop: TestShop;
  let programs: ReturnType<typeof temporaryFolder>;
  beforeEach(async () => {
    programs = temporaryFolder('program');
    const build = upgradableNginx(await obtainNginx({ suite, report }), programs.path);
    shop = await startShop({ build, engine, workers: 2 });
    await chooseTransport(join(shop.folder, 'nginx.conf'), 'batch');
    await shop.nginx.quit();
  });
  afterEach(async () => {
    await shop?.close();
    programs.remove();
  });

  describe.each([
    ['there', true],
    ['away', false],
  ])('and the sidecar is %s', (_, isThere) => {
    beforeEach(async () => {
      if (isThere) await shop.sidecar.start();
      await shop.nginx.start();
    });

    test('a restart just after views loses none', async () => {
      for (let i = 0; i < REPEAT; i++) {
        const seen = await see();
        await shop.nginx.quit();
        expect(await missing(seen)).toEqual([]);
        await shop.nginx.start();
      }
      expect(withoutLate(await shop.nginx.errorLog())).not.toMatch(
        /\[(alert|emerg)\]|exception|pending events|killing/,
      );
    });

    test('an upgrade by USR2 just after views loses none', async () => {
      for (let i = 0; i < REPEAT; i++) {
        const seen = await see();
        await shop.nginx.upgrade();
        expect(await missing(seen)).toEqual([]);
      }
      const more = await see();
      await shop.nginx.quit();
      expect(await missing(more)).toEqual([]);
    });

    (FULL || engine === 'njs' ? test : test.skip)(
      'a view that a starved worker captures after the last report is reported, too',
      async () => {
        const seen = await see();
        const [first = 0, starved = 0] = await shop.nginx.workers();
        // A connection that is not idle is kept through a quit. Only this worker can accept it.
        process.kill(first, 'SIGSTOP');
        const late = connect(shop.port, '127.0.0.1');
        late.write('GET /web/item/late.html HTTP/1.1\r\nHost: shop\r\n');
        const page = text(late);
        // This connection is accepted after the first one, so the half of a request has been read.
        await shop.get('/', { agent: new Agent() });
        process.kill(starved, 'SIGSTOP');
        process.kill(first, 'SIGCONT');

        process.kill(shop.nginx.pid(), 'SIGQUIT');
        await until(() => lastReports().length > 0, { timeoutMs: WAIT_MS, what: 'the last report' });
        late.write('Connection: close\r\n\r\n');
        // Also continues the starved worker.
        await shop.nginx.quit();
        expect(await page).toMatch(/^HTTP\/1\.1 /);

        expect(await missing([...seen, 'late'])).toEqual([]);
        const { waiting, flushed, handed, diverted, spilled, dropped } = lastReports().at(-1) ?? {};
        expect({ waiting, captured: sum(flushed, handed, diverted), spilled, dropped }).toEqual({
          waiting: 0,
          captured: seen.length + 1,
          spilled: (await shop.spilled()).length,
          dropped: 0,
        });
      },
    );

    test('a fast stop (SIGTERM) after a drain loses none', async () => {
      for (let i = 0; i < DRAINS; i++) {
        const seen = await see();
        await drain();
        // Past the zone: by subrequest, or to nginx's own spill file.
        seen.push(...(await see()));
        await until(async () => (await missing(seen)).length === 0, {
          timeoutMs: WAIT_MS,
          what: 'the views of a drained nginx to arrive',
        });
        await shop.nginx.stop();
        expect(await missing(seen)).toEqual([]);
        await shop.nginx.start();
      }
    });
  });

  test("the zone's content in an outage is spilled after five seconds, byte for byte", async () => {
    await shop.nginx.start();
    const seen = await see();
    await until(async () => (await missing(seen)).length === 0, {
      timeoutMs: WAIT_MS,
      what: 'the zone to be spilled',
      detail: () => shop.nginx.errorLog(),
    });
    // From then on at once; a busy machine may need another look.
    const isAtOnce = async () => {
      seen.push(...(await see()));
      const began = Date.now();
      await until(async () => (await missing(seen)).length === 0, { timeoutMs: WAIT_MS, what: 'the rest' });
      return Date.now() - began < AT_ONCE_MS;
    };
    await until(isAtOnce, { timeoutMs: WAIT_MS, what: 'views to be spilled at once' });
    await shop.nginx.kill();
    await shop.nginx.start();
    await shop.sidecar.start();
    seen.push(...(await see()));
    await until(async () => (await missing(seen)).length === 0, {
      timeoutMs: WAIT_MS,
      what: 'what came since',
    });
    expect(shop.sidecar.kept.length).toBeGreaterThan(0);
  });

  (FULL ? test : test.skip)(
    'pipes and folders with our file names in the spill folder stop no worker, and lose no view',
    async () => {
      const spill = join(shop.folder, 'spill');
      const minutes = [0, 60_000].map((ms) => new Date(Date.now() + ms).toISOString().slice(0, 16));
      const pipes = ['report-1', ...minutes.map((minute) => `zone-${minute}.tsv`)].map((name) =>
        join(spill, name),
      );
      execFileSync('mkfifo', pipes);
      mkdirSync(join(spill, 'drain'));
      await shop.nginx.start();
      const seen = await see();
      await until(async () => (await shop.nginx.errorLog()).includes('is not a file'), {
        timeoutMs: WAIT_MS,
        what: 'nginx to look at the pipe',
        detail: () => shop.nginx.errorLog(),
      });
      seen.push(...(await see()));
      for (const pipe of pipes) rmSync(pipe, { force: true });
      await until(async () => (await missing(seen)).length === 0, {
        timeoutMs: WAIT_MS,
        what: 'the zone to be spilled',
      });
    },
  );

  test('a quit while the sidecar hangs spills the zone, and nginx exits', async () => {
    await shop.sidecar.start();
    await shop.nginx.start();
    shop.sidecar.answer = 'hang';
    const seen = await see();
    await shop.nginx.quit();
    expect(shop.sidecar.kept).toEqual([]);
    expect(await missing(seen)).toEqual([]);
    expect(withoutLate(await shop.nginx.errorLog())).not.toMatch(
      /\[(alert|emerg)\]|exception|pending events|killing/,
    );
  });

  let views = 0;
  async function see(): Promise<string[]> {
    const items = Array.from({ length: VIEWS }, () => `${++views}`);
    for (const item of items) await shop.get(`/web/item/${item}.html`);
    return items;
  }

  /** Of these items, those whose view has neither come to the sidecar nor lies in a spill file. */
  async function missing(items: string[]): Promise<string[]> {
    const lines = [...shop.sidecar.kept.flatMap((body) => body.split('\n')), ...(await shop.spilled())];
    const there = new Set(lines.filter((line) => line !== '').map((line) => fieldsOf(line).item));
    return items.filter((item) => !there.has(item));
  }

  /** Those without the state of a running nginx: to the sidecar, or left in the spill folder. */
  function lastReports(): Report[] {
    const spill = join(shop.folder, 'spill');
    const left = readdirSync(spill).filter((name) => /^report-\d+$/.test(name));
    return [
      ...shop.sidecar.reports.filter((report) => !report.has('one_in')),
      ...left.map((name) => new URLSearchParams(readFileSync(join(spill, name), 'latin1'))),
    ].map((report) => Object.fromEntries([...report].map(([name, count]) => [name, Number(count)])));
  }

  async function drain(): Promise<void> {
    const { code, stderr } = await runHotitem(['nginx', 'drain', '--timeout', '60'], settings());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }

  function settings(): Record<string, string> {
    return { HOTITEM_HOME: shop.folder, HOTITEM_SPILL_DIR: join(shop.folder, 'spill') };
  }
}
