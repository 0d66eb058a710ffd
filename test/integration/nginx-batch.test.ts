import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { renderShop } from '../../demo/shop.ts';
import type { NginxEngine } from '../../nginx-setup/includes.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { steady, views } from '../parts/load.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { withoutLate } from '../parts/nginx-late.ts';
import { freePorts } from '../parts/ports.ts';
import { replaceIn } from '../parts/replace-in.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { fieldsOf } from './nginx-line.ts';
import { startShop, type TestShop } from './nginx-shop.ts';
import { chooseTransport } from './transport.ts';

jest.setTimeout(180_000);

const SETTLE_MS = 60_000;
/** Nothing leaves the zone for the spill before no post has succeeded for five seconds. A busy machine may take longer. */
const KEPT_MS = 4_900;
/** Of two nginx, each of which reports once a second. */
const REPORTS = FULL ? 6 : 4;
const LOAD_SECONDS = FULL ? 5 : 3;

/** Views that nginx had captured before a test, where tests share a chain. */
const capturedBefore = new WeakMap<Chain, number>();

suiteWith(['nginx'])('the transport batch, of one shop,', () => {
  let chain: Chain;
  beforeAll(start);
  beforeEach(async () => {
    await chain.nginx.start();
    await chain.mark();
    capturedBefore.set(chain, (await chain.accounts()).nginx?.accounts?.captured ?? 0);
  });
  afterAll(() => chain?.close());

  test('delivers every view once, and the accounting of nginx balances', async () => {
    await see(chain, 1_500);
    await see(chain, 3, (i) => `/web/item/\xff${i}`);

    const { sidecar } = await chain.settle(1_503);
    // Duplicates are none of its business: on a busy machine an answer comes after nginx has given up, and the post comes again.
    expect(sidecar).toMatchObject({ bad: 0, accepted: 1_503 });
    // Nor is how many are spilled: that are all where the sidecar answers nothing for five seconds.
    expect(await balanced(chain, 1_503)).toMatchObject({ buffered: 0, dropped: 0 });
    expect(withoutLate(await chain.nginx.errorLog())).not.toMatch(
      /\[(alert|emerg|crit)\]|exception|pending events|killing/,
    );
  });

  test('keeps views in the zone while the sidecar is unavailable, and delivers them when it is back', async () => {
    await see(chain, 100);
    await chain.settle(100);
    const before = { ...(await balanced(chain, 100)), lines: spilledLines(chain).length };
    const isSoon = sincePost();
    await chain.sidecar.kill();
    await see(chain, 500);
    const { length } = spilledLines(chain);
    if (isSoon()) expect(length).toBe(before.lines);

    await chain.sidecar.start();
    await chain.settle(500);
    const { spilled, dropped } = await balanced(chain, 600);
    expect(dropped).toBe(before.dropped);
    // Later, nginx may have spilled what the sidecar has, but answered too late.
    if (isSoon()) expect(spilled).toBe(before.spilled);
  });

  test('loses nothing when the socket file is removed under a running sidecar', async () => {
    await see(chain, 20);
    await chain.settle(20);
    rmSync(join(chain.home, 'run/intake.sock'));
    await see(chain, 30);

    await chain.settle(50);
    await balanced(chain, 50);
  });

  test('spills views that do not fit into the zone, and each arrives once', async () => {
    await editIncludes(chain, 'hotitem_events:16m', 'hotitem_events:128k');
    await chain.nginx.quit();
    await chain.nginx.start();
    await see(chain, 10);
    await chain.settle(10);
    const before = { ...(await balanced(chain, 10)), lines: spilledLines(chain).length };
    const isSoon = sincePost();
    await chain.sidecar.kill();
    await see(chain, 1_000);
    const isSpilled = () => spilledLines(chain).length > before.lines;
    await until(isSpilled, { timeoutMs: SETTLE_MS, what: 'a spill' });

    await chain.sidecar.start();
    await chain.settle(1_000);
    const spilled = (await balanced(chain, 1_010)).spilled - before.spilled;
    expect(spilled).toBeGreaterThan(0);
    if (isSoon()) expect(spilled).toBeLessThan(1_000);
    // nginx logs a line for each attempt: one a second and worker, not one a view.
    const attempts = (await chain.nginx.errorLog()).match(/no memory in js shared zone/g) ?? [];
    expect(attempts.length).toBeLessThan(500);
    await editIncludes(chain, 'hotitem_events:128k', 'hotitem_events:16m');
    await chain.nginx.quit();
  });

  test('loses nothing in reloads under load', async () => {
    // A new connection each: nginx closes idle ones at a reload, with what is just arriving on them.
    const headers = { Connection: 'close' };
    const load = steady({
      port: chain.port,
      ratePerSecond: 300,
      seconds: LOAD_SECONDS,
      path: pathOf,
      headers,
    });
    for (let reload = 0; reload < 3; reload++) await chain.nginx.reload();
    const sent = await load;

    expect(sent.filter(({ status }) => status !== 200)).toEqual([]);
    await chain.settle(sent.length);
    await balanced(chain, sent.length);
  });

  test('loses nothing when nginx is restarted while the sidecar is unavailable, and the accounting balances', async () => {
    await see(chain, 300);
    await chain.settle(300);
    await balanced(chain, 300);
    const before = spilledLines(chain).length;
    await chain.sidecar.kill();
    await see(chain, 50);
    await chain.nginx.quit();
    expect(spilledLines(chain).length).toBeGreaterThan(before);
    await chain.nginx.start();
    await chain.sidecar.start();
    await see(chain, 10);

    await chain.settle(60);
    // With what the first nginx captured after its last report.
    await balanced(chain, 360);
  });

  test("delivers the zone's content after capture is switched off by include", async () => {
    await see(chain, 20);
    await chain.settle(20);
    await balanced(chain, 20);
    await chain.sidecar.kill();
    await see(chain, 30);
    await editConf(chain, '/http.conf"', '/off-batch.conf"');
    await chain.nginx.reload();
    await see(chain, 5);
    await chain.sidecar.start();

    await chain.settle(30);
    await editConf(chain, '/off-batch.conf"', '/http.conf"');
    await chain.nginx.reload();
    await balanced(chain, 50);
  });

  test('a kill -9 of nginx loses the views in the zone since the last post, and no others', async () => {
    const isKilledInTime = async () => {
      await see(chain, 100);
      await chain.settle(100);
      await balanced(chain, 100);
      const isSoon = sincePost();
      chain.sidecar.pause();
      await see(chain, 20, (i) => `/web/item/lost${i}.html`);
      await chain.nginx.kill();
      if (isSoon()) return true;
      await chain.close();
      await start();
      return false;
    };
    await until(isKilledInTime, { timeoutMs: SETTLE_MS, what: 'nginx to be killed before it spills' });
    await chain.sidecar.kill();
    await chain.nginx.start();
    await chain.sidecar.start();
    await see(chain, 10);

    await chain.settle(10);
    expect(spilledLines(chain).join()).not.toContain('lost');
  });

  async function start(): Promise<void> {
    const build = await obtainNginx({ suite: 'trixie', report });
    chain = await startChain({ build, transport: 'batch', workers: 3 });
  }
});

suiteWith(['nginx'])('the transport batch', () => {
  let build: NginxBuild;
  let chain: Chain;
  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
  });
  afterEach(() => chain?.close());

  test.each<[Suite, NginxEngine]>([
    ['trixie', 'njs'],
    ...(FULL ? [['sid', 'njs'] satisfies [Suite, NginxEngine]] : []),
    ['sid', 'qjs'],
  ])(
    'keeps bytes that are not UTF-8 unchanged in the zone, on nginx of %s with %s',
    async (suite, engine) => {
      const shop = await startBatchShop(await obtainNginx({ suite, report }), engine);
      const sent = ['plain', 'caf\xe9', 'caf\xc3\xa9', '\xef\xbf\xbd', '\xff\x80=', '\xe2\x82'];
      try {
        // No sidecar: what does not wait in the zone is spilled at once.
        for (const [i, agent] of sent.entries()) {
          await shop.get(`/web/item/${i}\xff.html`, { headers: { 'user-agent': agent } });
        }
        await shop.settle();
        expect(await shop.spilled()).toEqual([]);
        await shop.sidecar.start();

        await until(() => linesOf(shop).length >= sent.length, { timeoutMs: SETTLE_MS, what: 'the lines' });
        const seen = linesOf(shop).map(fieldsOf);
        expect(seen.map(({ uri, agent }) => [uri, agent]).sort()).toEqual(
          sent.map((agent, i) => [`/web/item/${i}\xff.html`, agent]).sort(),
        );
      } finally {
        await shop.close();
      }
    },
  );

  test('does not serve its internal locations to clients', async () => {
    const shop = await startBatchShop(build);
    try {
      for (const path of ['/_hotitem/capture', '/_hotitem/spill'])
        expect((await shop.get(path, { method: 'POST', body: 'forged' })).status).toBe(404);
      await shop.settle();
      expect(await shop.spilled()).toEqual([]);
    } finally {
      await shop.close();
    }
  });

  test('splits a batch that is too large for the sidecar', async () => {
    chain = await startChain({
      build,
      transport: 'batch',
      env: { HOTITEM_INTAKE_MAX_REQUEST_BYTES: '4000' },
    });
    // Some posts of such batches, one a second.
    await see(chain, 40);

    await chain.settle(40);
    await balanced(chain, 40);
  });

  test.each([503, 'hang'] as const)('keeps its views while the sidecar answers: %s', async (answer) => {
    const shop = await startBatchShop(build);
    try {
      shop.sidecar.answer = answer;
      await shop.sidecar.start();
      for (let i = 1; i <= 20; i++) await shop.get(`/web/item/${i}.html`);
      await until(() => shop.sidecar.connections() > 0, { timeoutMs: 60_000, what: 'an attempt' });
      shop.sidecar.answer = 204;

      // Or spilled: it may have failed for five seconds.
      const lines = async () => new Set([...linesOf(shop), ...(await shop.spilled())]);
      await until(async () => (await lines()).size >= 20, { timeoutMs: SETTLE_MS, what: 'the lines' });
      expect((await lines()).size).toBe(20);
    } finally {
      await shop.close();
    }
  });

  test('does not resend lines that the sidecar rejects as bad', async () => {
    const shop = await startBatchShop(build);
    const asked = (item: string) => shop.sidecar.arrived.filter(({ body }) => body.includes(`/${item}.html`));
    try {
      shop.sidecar.answer = 400;
      await shop.sidecar.start();
      await shop.get('/web/item/bad.html');
      await until(() => asked('bad').length > 0, { timeoutMs: 60_000, what: 'the bad line' });
      // Sent again only where the answer came too late.
      const isDone = async () => {
        await shop.get('/web/item/later.html');
        return asked('later').some(({ body }) => !body.includes('/bad.html'));
      };
      await until(isDone, { timeoutMs: 60_000, what: 'a later line without it' });
      shop.sidecar.answer = 204;
      await shop.get('/web/item/good.html');
      await until(() => asked('good').length > 0, { timeoutMs: 60_000, what: 'the good line' });

      expect(linesOf(shop).filter((line) => line.includes('/bad.html'))).toEqual([]);
    } finally {
      await shop.close();
    }
  });

  describe.each<[Suite, NginxEngine]>(
    FULL
      ? [
          ['sid', 'njs'],
          ['sid', 'qjs'],
        ]
      : [['sid', 'qjs']],
  )('on nginx of %s with %s', (suite, engine) => {
    test('delivers every view once, also those of an outage', async () => {
      const newest = await obtainNginx({ suite, report });
      chain = await startChain({ build: newest, engine, transport: 'batch' });
      await see(chain, 200);
      await chain.settle(200);
      await balanced(chain, 200);
      await chain.sidecar.kill();
      await see(chain, 100);
      await chain.sidecar.start();
      await chain.settle(100);
      const { instances } = await balanced(chain, 300);
      expect(instances).toEqual([expect.objectContaining({ captured: 300, instance: expect.any(Number) })]);
      expect(instances[0]?.instance).toBeGreaterThan(0);
      expect(withoutLate(await chain.nginx.errorLog())).not.toMatch(
        /\[(alert|emerg|crit)\]|exception|pending events|killing/,
      );
    });
  });
});

suiteWith(['nginx'])('two nginx on one sidecar', () => {
  test('do not make the counters jump, and do not hide a loss', async () => {
    const build = await obtainNginx({ suite: 'trixie', report });
    const chain = await startChain({ build, transport: 'subrequest' });
    const other = await startBeside(chain, build);
    try {
      await see(chain, 30);
      await see(other, 20);
      await chain.settle(50);
      const { instances } = await balanced(chain, 50);
      expect(instances).toHaveLength(2);
      expect(new Set(instances.map(({ instance }) => instance)).size).toBe(2);

      const before = spilledLines(chain).length;
      await chain.sidecar.kill();
      await see(other, 40);
      // A view is spilled after its page is sent.
      await until(() => spilledLines(chain).length >= before + 40, {
        timeoutMs: SETTLE_MS,
        what: 'the spill',
      });
      for (const name of spillFiles(chain)) truncateSync(join(chain.home, 'spill', name));
      await chain.sidecar.start();
      await see(chain, 10);
      await chain.settle(10);
      const counters = async () => {
        const { nginx } = await chain.accounts();
        return nginx?.accounts;
      };
      const lost = { captured: 100, unaccounted: 40 };
      const waiting = {
        timeoutMs: SETTLE_MS,
        what: 'the loss in the accounting',
        everyMs: 150,
        detail: chain.logs,
      };
      await until(async () => isLike(await counters(), lost), waiting);
      // The reports of both, again and again: none makes good what the other says.
      const reports = new Set<number>();
      const isEnough = async () => {
        const now = await counters();
        expect(now).toMatchObject(lost);
        return reports.add(now?.reportedAt ?? 0).size >= REPORTS;
      };
      await until(isEnough, { timeoutMs: SETTLE_MS, what: 'more reports', everyMs: 150, detail: chain.logs });
    } finally {
      await other.nginx.quit();
      await chain.close();
    }
  });
});

suiteWith(['nginx'])('the spill folder', () => {
  test.each<[Suite, NginxEngine]>(
    FULL
      ? [
          ['trixie', 'njs'],
          ['sid', 'qjs'],
        ]
      : [['trixie', 'njs']],
  )(
    'is limited by nginx of %s with %s while the sidecar is down, and dropped views are counted',
    async (suite, engine) => {
      const build = await obtainNginx({ suite, report });
      const env = { HOTITEM_SPILL_MAX_BYTES: '2000' };
      const chain = await startChain({ build, engine, transport: 'subrequest', env });
      try {
        await editIncludes(chain, '1073741824', '2000');
        await chain.nginx.reload();
        await see(chain, 10);
        await chain.settle(10);
        // Ten at once are more than nginx lets wait for the sidecar: some of them are spilled.
        const { spilled } = await balanced(chain, 10);
        await chain.sidecar.kill();
        await see(chain, 50);
        let after = 0;
        const isFull = async () => {
          const before = sizeOf(chain);
          for (let i = 0; i < 5; i++) await see(chain, 1).then(() => sleep(50));
          after += 5;
          return sizeOf(chain) === before;
        };
        await until(isFull, { timeoutMs: 60_000, what: 'nginx to write no more' });
        await see(chain, 25);
        after += 25;

        await chain.sidecar.start();
        const found = await balanced(chain, 60 + after);
        expect(found.dropped).toBeGreaterThanOrEqual(30);
        expect(found.spilled - spilled + found.dropped).toBe(50 + after);
        expect(await chain.sidecar.metric('hotitem_nginx_spill_full_total')).toBe(1);

        // What includes of an earlier version do, and no more.
        const server = join(chain.home, 'nginx/hotitem/server.conf');
        await replaceIn(server, `${chain.home}/run/intake.sock.full`, `${chain.home}/spill/full`);
        await replaceIn(server, '$hotitem_spill_shut', '""');
        await chain.nginx.reload();
        chain.sidecar.pause();
        const held = sizeOf(chain);
        await see(chain, 10);
        chain.sidecar.resume();
        const { dropped } = await balanced(chain, 70 + after);
        // Up to three views a worker wait for the sidecar; the others are more than it has connections.
        expect(dropped).toBeGreaterThan(found.dropped);
        expect(sizeOf(chain)).toBe(held);
      } finally {
        await chain.close();
      }
    },
  );
});

type Counted = { captured?: number; unaccounted?: number };
type Site = { port: number; nginx: NginxPart };

function pathOf(i: number): string {
  return `/web/item/${(i % 300) + 1}.html?v=${i}`;
}

/** Another nginx with the same sidecar, spill folder and pages, on ports of its own. */
async function startBeside({ home }: Chain, build: NginxBuild): Promise<Site> {
  const [port = 0, breaker] = await freePorts(2);
  const { conf, errorLog } = await renderShop({
    folder: join(home, 'other'),
    listen: `127.0.0.1:${port}`,
    breaker: `127.0.0.1:${breaker}`,
    socket: join(home, 'run/intake.sock'),
    spill: join(home, 'spill'),
    pages: join(home, 'pages'),
    ...(build.modules.js && { module: build.modules.js }),
    ...(process.getuid?.() === 0 && { user: 'root' }),
  });
  await chooseTransport(conf, 'subrequest');
  return { port, nginx: await startNginx({ build, prefix: join(home, 'other'), config: conf, errorLog }) };
}

async function see(
  { port }: Pick<Site, 'port'>,
  count: number,
  path: (i: number) => string = pathOf,
): Promise<void> {
  const sent = await views({ port, paths: Array.from({ length: count }, (_, i) => path(i)) });
  expect(sent.filter(({ status, error }) => error !== undefined || status >= 500)).toEqual([]);
}

/**
 * Waits until nginx has reported that many captured views, that none of them is unaccounted for, and none in its zone: what is there when the
 * sidecar is killed, because the answer was late, is delivered to the next one, which accepts it again.
 */
async function balanced(chain: Chain, captured: number) {
  const before = capturedBefore.get(chain) ?? 0;
  const books = async () => {
    const { nginx } = await chain.accounts();
    const found = nginx?.accounts;
    return found?.captured === before + captured && found.unaccounted === 0 && found.buffered === 0
      ? found
      : undefined;
  };
  const detail = async () => `${JSON.stringify(await chain.accounts())}\n${await chain.logs()}`;
  return until(books, {
    timeoutMs: SETTLE_MS,
    what: `the books of ${captured} views to balance`,
    everyMs: 150,
    detail,
  });
}

function isLike({ captured, unaccounted }: Counted = {}, lost: Counted): boolean {
  return captured === lost.captured && unaccounted === lost.unaccounted;
}

function spillFiles(chain: Chain): string[] {
  return readdirSync(join(chain.home, 'spill')).filter((name) => name.endsWith('.tsv'));
}

function spilledLines(chain: Chain): string[] {
  return spillFiles(chain).flatMap((name) =>
    readFileSync(join(chain.home, 'spill', name), 'latin1')
      .split('\n')
      .slice(0, -1),
  );
}

/** Whether nothing can have been spilled since now, when the sidecar may just have answered a post. */
function sincePost(): () => boolean {
  const began = Date.now();
  return () => Date.now() - began < KEPT_MS;
}

function editConf(chain: Chain, from: string, to: string): Promise<void> {
  return replaceIn(join(chain.home, 'nginx/nginx.conf'), from, to);
}

/** Of its spill files. */
function sizeOf(chain: Chain): number {
  return spillFiles(chain).reduce((sum, name) => sum + statSync(join(chain.home, 'spill', name)).size, 0);
}

function editIncludes(chain: Chain, from: string, to: string): Promise<void> {
  return replaceIn(join(chain.home, 'nginx/hotitem/http-batch.conf'), from, to);
}

async function startBatchShop(build: NginxBuild, engine: NginxEngine = 'njs'): Promise<TestShop> {
  const shop = await startShop({ build, engine });
  await chooseTransport(join(shop.folder, 'nginx.conf'), 'batch');
  await shop.nginx.reload();
  return shop;
}

function linesOf({ sidecar }: TestShop): string[] {
  return sidecar.kept.flatMap((body) => body.split('\n')).filter((line) => line !== '');
}
