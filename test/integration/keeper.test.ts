import {
  chmodSync,
  type Dirent,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { AT_ONCE } from '../../protect/budget.ts';
import type { SeenLimit } from '../../protect/shoppers.ts';
import { ENGLISH_DESKTOP } from '../../protect/visitors.ts';
import type { Suite } from '../../provision/versions.ts';
import type { Ran } from '../../service/run.ts';
import { testAsRoot } from '../parts/as-root.ts';
import { launchChromium } from '../parts/browser.ts';
import { FULL } from '../parts/full.ts';
import { record } from '../parts/record.ts';
import { askOnce, type Service } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { isListed } from './hot-list-files.ts';
import { type KeeperShop, startKeeperShop } from './keeper-shop.ts';
import { HOST, type ProtectSite, startProtectSite } from './nginx-protect-site.ts';
import { tryAsAnother, tryAsOwner } from './other-user.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';
import { startSale } from './sale.ts';

jest.setTimeout(180_000);
const SOON_MS = 60_000;
const PATIENCE = { timeout: SOON_MS };
const STALE_SECONDS = 5;
const REFUSED = 'no answer from nginx (nginx.keeper): connect ECONNREFUSED';
const PURGE = { timeoutMs: SOON_MS, what: 'the answer to a purge' };
const CHUNK = 'x'.repeat(100_000);
/** Pages that are the same for all at first. */
const TURNED: Record<string, { headers: Record<string, string>; reason: string }> = {
  'turns-cookie': { headers: { 'Set-Cookie': 'session=alice' }, reason: 'sets session' },
  'turns-private': { headers: { 'Cache-Control': 'private' }, reason: 'says Cache-Control: private' },
  'turns-vary': { headers: { Vary: 'Cookie' }, reason: 'varies by Cookie' },
};
const SUITES: Suite[] = FULL ? ['trixie', 'bookworm', 'sid'] : ['trixie'];
/** These wait for a comparison, or for several refreshes: test/unit/protect/keeper.test.ts does so with a clock of its own. */
const testInFull = FULL ? test : test.skip;

describe.each(SUITES)('the keeper and nginx of %s', (suite) => {
  let site: ProtectSite;
  let sidecar: Service;
  let home: string;
  let shop: KeeperShop;
  let canary: Server;
  let canaryPort: number;
  let tokenFile: string;

  beforeAll(async () => {
    site = await startProtectSite(suite, { hasHotList: false, staleSeconds: STALE_SECONDS });
    const answers = site.origin.answers;
    answers.same = (_, response) => response.end('the same for all');
    answers.branded = answers.same;
    answers.price = (_, response) => response.end(`price ${price}`);
    answers.turns = ({ url = '' }, response) => {
      const turned = Object.entries(TURNED).find(([item]) => url.includes(item))?.[1];
      response.writeHead(200, isTurned ? turned?.headers : {}).end(isTurned ? 'of alice' : 'of nobody');
    };
    answers.moves = ({ url = '' }, response) => {
      const isPrivate = isMoved && url.startsWith('/item/');
      response
        .writeHead(200, isPrivate ? { 'Cache-Control': 'private' } : {})
        .end(isPrivate ? 'of alice' : 'of nobody');
    };
    answers.echo = ({ url = '' }, response) => response.end(`page of ${url}`);
    // As PHP that died: no length is known.
    answers.white = (_, response) => response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end();
    answers.tongue = (request, response) => response.end(`in ${request.headers['accept-language'] ?? 'any'}`);
    answers.device = (request, response) =>
      response.end(/iPhone/.test(request.headers['user-agent'] ?? '') ? 'small' : 'large');
    answers.endless = (_, response) => {
      const more = () => {
        while (!response.closed && response.write(CHUNK));
      };
      response.on('drain', more);
      more();
    };
    answers.weak = (_, response) => response.writeHead(isWeak ? 503 : 200).end('weak');
    answers.once = (_, response, page) =>
      // A page in which another shopper's token shows up.
      response.end(isTokened ? page : 'without a token');
    answers.flaky = (_, response) => response.writeHead(isFlaky && flaky++ % 3 > 0 ? 503 : 200).end('flaky');
    canary = createServer((socket) => {
      heard++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const address = canary.address();
    canaryPort = typeof address === 'object' && address !== null ? address.port : 0;
    answers.lead = (_, response) =>
      response.writeHead(302, { Location: `http://127.0.0.1:${canaryPort}/item/lead.html` }).end();
    tokenFile = join(site.folder, 'control.token');
    mkdirSync(join(site.folder, 'sidecar'), { recursive: true });
    expect(await runHotitem(['control', 'token'], ofToken())).toMatchObject({ code: 0 });
    shop = await startKeeperShop({
      folder: site.folder,
      hot: site.hot,
      keeperPort: site.keeperPort,
      hosts: [HOST],
      env: {
        HOTITEM_PROTECT_STALE_SECONDS: String(STALE_SECONDS),
        HOTITEM_ADMIN_CONTROL_TOKEN_FILE: tokenFile,
        // Where this nginx logs what it did.
        HOTITEM_SPILL_DIR: join(site.folder, 'spill'),
      },
    });
    ({ home, sidecar } = shop);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await sidecar?.stop();
    await site?.close();
    canary?.close();
  });
  let price = 1;
  let isTurned = false;
  let isMoved = false;
  let isWeak = false;
  let isTokened = false;
  let isFlaky = false;
  let flaky = 0;
  let heard = 0;
  let browser: Browser | undefined;
  let page: Page;
  const complaints: string[] = [];
  const { turnHot, stateOf, kept, refused, hotList, detail } = methods();

  suiteWith(['nginx'])('count what the limit does:', () => {
    test('how many requests a limit on trial would reject is told by the list, the item and metrics', async () => {
      const { statuses, limit } = await tryLimit();
      expect([statuses, limit.limited]).toEqual([[200], 0]);
      const { stdout } = await runHotitem(['hot', 'show', 'guarded'], { HOTITEM_HOME: home });
      expect(stdout).toMatch(
        /nginx, where it is included: limit\n *limit\.conf, since [\d:]+Z: would have limited \d+ of \d+ requests \(dry run\)/,
      );
      expect(stdout).toMatch(/since [\d:]+Z, none of \d+ requests ended badly\n/);
      const metrics = await sidecar.text('/metrics');
      expect(metrics).toMatch(/hotitem_protect_limit_total\{result="would_limit"\} [1-9]/);
      expect(metrics).toContain('hotitem_protect_limit_total{result="limited"} 0');
      expect(metrics).toMatch(/hotitem_protect_ends_total\{end="ok"\} [1-9]/);
    });
  });

  suiteWith(['nginx', 'chromium'])('on the live page:', () => {
    // Else it would be kept up to date until the end.
    afterEach(() => page?.close());

    test('a page is purged by keyboard, with its age; of one that is not kept, the reason is told', async () => {
      await turnHot('price');
      await kept('price');
      await openPage();
      await controlOf('price').press('Enter');
      await identify();
      await page.getByRole('heading', { name: 'Control price' }).waitFor(PATIENCE);
      await page.keyboard.press('Escape');
      price = 20;
      expect(await purged('Control price', () => controlOf('price').press('Enter'))).toMatch(
        /The page of price was fetched again, .+ ago: shoppers see the new one\.$/,
      );
      expect((await site.get('/item/price.html')).body).toBe('price 20');

      await turnHot('cookie');
      await refused('cookie', 'sets session');
      expect(await purged('Control cookie', () => controlOf('cookie').press('Enter'))).toMatch(
        /Not done: the page of cookie is not kept: sets session\.$/,
      );

      const nameIt = async () => {
        await page.getByRole('button', { name: 'An item…' }).press('Enter');
        await page.getByRole('heading', { name: 'Control an item' }).waitFor(PATIENCE);
        await page.keyboard.type('nobody');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Space');
      };
      expect(await purged('Control an item', nameIt)).toMatch(/Not done: no page of nobody is kept\.$/);
      expect(complaints).toEqual([]);
    });

    test('what a limit on trial would do is in Hot now, and in the view of the item', async () => {
      await tryLimit();
      await openPage();
      const would = /^Would have limited \d+ of [\d,]+ requests \(dry run\)$/;
      await page.getByRole('row').filter({ hasText: 'guarded' }).getByText(would).waitFor(PATIENCE);
      await page.goto(`http://${sidecar.admin}/#/item/guarded`);
      await page.locator('#item-does').getByText(would).waitFor(PATIENCE);
      const ends = page.locator('#item-ends');
      await ends.getByText(/^None of [\d,]+ requests ended badly\. Counted since /).waitFor(PATIENCE);
    });
  });

  suiteWith(['nginx'])('share hot pages:', () => {
    test('shoppers get a page that is kept fresh, and the origin a request a second however many they are', async () => {
      await turnHot('same');
      await whileKept('same', async () => {
        site.origin.asked.length = 0;
        const began = Date.now();
        const pages = await Promise.all(
          Array.from({ length: 500 }, () => site.get('/item/same.html?utm_source=mail')),
        );
        const asked = site.origin.asked.splice(0);
        const tookMs = Date.now() - began;
        return () => {
          expect(new Set(pages.map(({ body }) => body))).toEqual(new Set(['the same for all']));
          // A refresh a second; a comparison, of two requests, may come in between.
          expect(asked.length).toBeLessThan(6 + tookMs / 500);
          expect(asked.every(({ headers }) => headers.cookie === undefined)).toBe(true);
        };
      });
    });

    test('its own requests are no views', async () => {
      expect(site.lines()).not.toMatch(/iPhone/);
    });

    test.each([
      ['cookie', 'sets session'],
      ['nostore', 'says Cache-Control: no-store'],
      ['vary', 'varies by Cookie'],
      ['redirect', 'answers 302'],
      ['plain', /^differs from one request to the next at byte [5-7]/],
      ['tongue', /^differs by language at byte 3/],
      ['device', /^differs between phone and desktop at byte 0/],
      ['huge', 'is larger than 5 MB'],
      ['endless', 'is larger than 5 MB'],
      ['failing', 'the origin answers 503'],
      ['star', 'varies by *'],
      ['gzip', 'is compressed although nobody asked for it'],
      ['torn', 'ended before it was whole'],
      ['cut', 'ended before it was whole'],
      ['lead', 'answers 302'],
      ['blank', 'is empty'],
      ['white', 'is empty'],
    ])('a page of the kind %s is not kept, and the decision says so', async (item, reason) => {
      await turnHot(item);
      await refused(item, reason);
      expect(isInHotList('cache', item)).toBe(false);
      await until(() => isInHotList('hot', item), { timeoutMs: SOON_MS, what: 'its file', detail });
    });

    test('a page of a location whose add_header replaces the keeper’s is not kept', async () => {
      await turnHot('branded', ['/headered/item/branded.html']);
      await refused('branded', 'nginx does not say what it did: hotitem check --nginx tells why');
    });

    test('a page that begins to be somebody’s is dropped at once, and no shopper gets another one’s', async () => {
      const items = Object.keys(TURNED);
      await Promise.all(items.map((item) => turnHot(item)));
      await Promise.all(items.map((item) => kept(item)));
      isTurned = true;
      await Promise.all(items.map((item) => refused(item, TURNED[item]?.reason ?? '')));
      for (const item of items) {
        site.origin.asked.length = 0;
        const { body } = await site.get(`/item/${item}.html`, { headers: { cookie: '_ga=bob' } });
        expect([item, body]).toEqual([item, 'of alice']);
        expect(site.origin.asked.map(({ headers }) => headers.cookie)).toContain('_ga=bob');
      }
    });

    testInFull(
      'a page that was refused is shown to nobody because the item is kept at another address',
      async () => {
        const [former, other] = ['/item/moves.html', '/announced/item/moves.html'];
        await turnHot('moves', [former]);
        await kept('moves');
        isMoved = true;
        await refused('moves', 'says Cache-Control: private');
        await turnHot('moves', [other]);
        const seen = new Set<string>();
        await until(
          async () => {
            seen.add((await site.get(former)).body);
            return (await stateOf('moves'))?.state === 'kept';
          },
          { timeoutMs: SOON_MS, what: 'the other address', detail },
        );
        expect([...seen]).toEqual(['of alice']);
        await kept('moves');
        expect([(await site.get(former)).body, (await site.get(other)).body]).toEqual([
          'of alice',
          'of nobody',
        ]);
      },
    );

    testInFull(
      'a page in which a token shows up is dropped, and no shopper gets another one’s any more',
      async () => {
        await turnHot('once');
        await kept('once');
        isTokened = true;
        await refused('once', /^differs from (?:visitor to visitor|one request)/);
        const [alice, bob] = [await site.get('/item/once.html'), await site.get('/item/once.html')];
        expect(alice.body).not.toBe(bob.body);
      },
    );

    testInFull('errors of the origin now and then reach no shopper of a page that is kept', async () => {
      await turnHot('flaky');
      await kept('flaky');
      isFlaky = true;
      const since = flaky;
      const statuses = new Set<number>();
      await until(
        async () => {
          statuses.add((await site.get('/item/flaky.html')).status);
          return flaky - since >= 6;
        },
        { timeoutMs: SOON_MS, what: 'six refreshes', detail },
      );
      expect([...statuses]).toEqual([200]);
      expect((await stateOf('flaky'))?.state).toBe('kept');
    });

    test('a purge shows at once', async () => {
      await turnHot('price');
      await kept('price');
      for (price = 2; price < (FULL ? 6 : 4); price++) {
        const purged = await until(() => answered(['purge', 'price']), PURGE);
        expect(purged).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/^price: cached, refreshed \d+\.\d s ago\n$/),
        });
        expect((await site.get('/item/price.html')).body).toBe(`price ${price}`);
      }
      expect(await until(() => answered(['purge', 'cookie']), PURGE)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('sets session'),
      });
    });

    test('a purge over the admin listener is answered when the fresh page is in, with its age', async () => {
      await turnHot('price');
      await kept('price');
      price = 7;
      const { status, body, waitedMs } = await until(async () => {
        const began = Date.now();
        const answer = await control('purge', { item: 'price', reason: 'a new price' });
        const waitedMs = Date.now() - began;
        return isLate(JSON.stringify(answer.body)) ? undefined : { ...answer, waitedMs };
      }, PURGE);
      expect((await site.get('/item/price.html')).body).toBe('price 7');
      expect([status, body]).toEqual([
        200,
        expect.objectContaining({
          done: 'purge',
          pages: [{ item: 'price', ageMs: expect.any(Number) }],
        }),
      ]);
      const [page] = (body as { pages: { ageMs: number }[] }).pages;
      expect(page?.ageMs).toBeLessThanOrEqual(waitedMs);
      const refusal = await until(async () => {
        const answer = await control('purge', { item: 'cookie' });
        return isLate(JSON.stringify(answer.body)) ? undefined : answer;
      }, PURGE);
      expect(refusal).toEqual({ status: 409, body: { error: expect.stringContaining('sets session') } });
      expect(await control('purge', {})).toMatchObject({ status: 400 });
      expect((await control('purge', { all: true })).status).toBe(200);
    });

    testInFull(
      'while the origin answers errors shoppers see the page for as long as is said, and then the error',
      async () => {
        await turnHot('weak');
        await kept('weak');
        const refreshedAt = async () => {
          const state = await stateOf('weak');
          return state?.state === 'kept' ? state.refreshedAt : 0;
        };
        const before = await refreshedAt();
        await until(async () => (await refreshedAt()) > before, {
          timeoutMs: SOON_MS,
          what: 'a refresh',
          detail,
        });
        isWeak = true;
        const began = Date.now();
        const seen = await until(
          async () => {
            const { status } = await site.get('/item/weak.html');
            return status === 503 ? Date.now() - began : undefined;
          },
          { timeoutMs: SOON_MS, what: 'the error of the origin', detail },
        );
        expect(seen).toBeGreaterThan((STALE_SECONDS - 2) * 1_000);
        expect((await stateOf('weak'))?.reason).toBe('cannot be refreshed: the origin answers 503');
        expect(isInHotList('cache', 'weak')).toBe(false);
      },
    );

    test('what a shopper adds to the address is in no page that another one gets', async () => {
      await turnHot('echo', ['/item/echo.html?utm_content=evil', '/item/echo.html?gclid=evil']);
      await kept('echo');
      expect((await site.get('/item/echo.html')).body).toBe('page of /item/echo.html');
      expect((await site.get('/item/echo.html?utm_source=mail')).body).toBe('page of /item/echo.html');
      expect(await stateOf('echo')).toMatchObject({ address: `http://${HOST}/item/echo.html` });
    });

    test('a query that may do something is not asked for', async () => {
      await turnHot('effect', ['/item/effect.html?add-to-cart=1&utm_source=mail']);
      await refused('effect', 'its query may change the page (tracking.conf)');
      expect(site.origin.asked.filter(({ url }) => /evil|add-to-cart/.test(url))).toEqual([]);
    });

    test('a limit of the shop that rejects the keeper is named, and not taken for the origin', async () => {
      await turnHot('same3', ['/strict/item/same3.html']);
      await refused(
        'same3',
        'nginx limits the sidecar as a shopper (limit_req, limit_conn): hotitem check --nginx tells how to exempt it',
      );
    });

    test('a hostile address in a view is not asked for', async () => {
      site.origin.asked.length = 0;
      const hostile = [
        '//item/evil.html',
        'http://evil.test/item/evil.html',
        `http://127.0.0.1:${canaryPort}/item/evil.html`,
        `//127.0.0.1:${canaryPort}/item/evil.html`,
        `@127.0.0.1:${canaryPort}/item/evil.html`,
        '/a b',
        '/\u0000',
        'CONNECT',
        '*',
        '',
      ];
      await turnHot('hostile', hostile);
      await until(async () => (await stateOf('hostile'))?.state === 'waiting', {
        timeoutMs: SOON_MS,
        what: 'the item',
        detail,
      });
      await turnHot('hostile', hostile);
      // One that turned hot later has had its turn.
      await turnHot('same2');
      await kept('same2');
      expect(site.origin.asked.filter(({ url }) => /evil|\s/.test(url))).toEqual([]);
      expect((await stateOf('hostile'))?.state).toBe('waiting');
      expect(heard).toBe(0);
    });

    testAsRoot(
      'another user of this host cannot read the word, a page or the token, reaches no socket, and has nothing stored',
      async () => {
        await turnHot('same');
        await kept('same');
        // What keeps him out must not be the folder of the test.
        chmodSync(site.folder, 0o755);
        chmodSync(home, 0o755);
        const pages = join(site.folder, 'kept-proxy');
        // Of the latest period: that folder is there for longest.
        const wordFile = () => filesBelow(site.hot).findLast((path) => path.includes('/keeper/')) ?? '';
        const pid = sidecar.pid();
        /** What is there now: a period of the hot list is removed after some seconds, and pages come and go. */
        const tried = () => {
          const word = wordFile();
          const [page = ''] = filesBelow(pages);
          return {
            list: [site.hot, dirname(word), pages, `/proc/${pid}/fd`],
            read: [word, page, tokenFile, `/proc/${pid}/environ`],
            write: [site.hot, dirname(word), pages],
            connect: [join(home, 'run/control.sock'), join(home, 'run/intake.sock')],
            keeperPort: site.keeperPort,
          };
        };
        await until(() => wordFile() !== '' && filesBelow(pages).length > 0, {
          timeoutMs: SOON_MS,
          what: 'a word and a page',
          detail,
        });
        const { keeper, ...outcome } = await tryAsAnother(tried());
        expect(keeper).toBe('nothing');
        expect(new Set(Object.values(outcome))).toEqual(new Set(['EACCES']));
        const asKeeper = (mode: string) =>
          site.keep('look', '/item/planted.html', {
            headers: { 'keep-alive': `hotitem-${mode}=${basename(wordFile()).slice(2)}` },
          });
        expect((await asKeeper('look')).headers['x-hotitem-keeper']).toBe('look MISS');
        expect((await asKeeper('fill')).headers['x-hotitem-keeper']).toBe('fill BYPASS');
        // Files come and go: one may be gone by the time that it is read.
        const isPossible = async () => {
          const { keeper: _, ...possible } = await tryAsOwner({ ...tried(), write: [] });
          return Object.values(possible).every((outcome) => outcome === 'done');
        };
        await until(isPossible, { timeoutMs: SOON_MS, what: 'the owner to be able to', detail });
      },
    );

    testInFull('nginx without the includes is noticed at once, and gets a few more requests', async () => {
      await turnHot('same');
      await kept('same');
      const asKeeper = () => site.lines().split(ENGLISH_DESKTOP.headers['User-Agent'] ?? '').length - 1;
      const before = asKeeper();
      await site.edit('/http-protect.conf', '/off-protect.conf');
      const isNamed = async () => (await hotList()).keeperFailure?.includes('does not know the keeper');
      await until(isNamed, { timeoutMs: SOON_MS, what: 'the failure', detail });
      expect(isInHotList('cache', 'same')).toBe(false);
      await site.edit('/off-protect.conf', '/http-protect.conf');
      await kept('same');
      expect(asKeeper() - before).toBeLessThanOrEqual(AT_ONCE);
    });

    test('hot list and show say what nginx does with a page', async () => {
      await Promise.all(['same', 'vary', 'cookie'].map((item) => turnHot(item)));
      await tryLimit();
      await refused('vary', 'varies by Cookie');
      await refused('cookie', 'sets session');
      await whileKept('same', async () => {
        const { stdout } = await runHotitem(['hot', 'list'], { HOTITEM_HOME: home });
        const text = await shop.show('same');
        const explained = FULL ? await shop.explain('same') : undefined;
        return () => {
          expect(stdout).toMatch(/same .*\n.*\n *cached, refreshed \d+\.\d s ago/);
          expect(stdout).toMatch(/not cached: varies by Cookie/);
          expect(stdout).toMatch(
            / limit \(rule guard\)\n +would have limited \d+ of \d+ requests \(dry run\)/,
          );
          expect(text).toMatch(
            /nginx, where it is included: announce, cache\n *cached, refreshed \d+\.\d s ago/,
          );
          expect(text).toContain(`the page at http://${HOST}/item/same.html`);
          if (FULL) expect(explained?.nginx).toMatchObject({ page: { state: 'kept' } });
        };
      });
      expect(await shop.show('cookie')).toMatch(/not cached: sets session \(asked for again in \d+ s\)/);
      if (FULL) expect((await shop.explain('nobody')).nginx).toBeUndefined();
    });

    test('monitoring is told', async () => {
      await Promise.all(['same', 'cookie'].map((item) => turnHot(item)));
      await refused('cookie', 'sets session');
      const isKept = async () => {
        const text = await sidecar.text('/metrics');
        return /hotitem_protect_items\{state="kept"\} [1-9]/.test(text) && text;
      };
      const text = await until(isKept, { timeoutMs: SOON_MS, what: 'a page to be kept', detail });
      expect(text).toMatch(/hotitem_protect_requests_total\{kind="fill"\} [1-9]/);
      expect(text).toMatch(/hotitem_protect_reachable 1/);
      expect(text).toMatch(/hotitem_protect_refused_total\{reason="cookie"\} [1-9]/);
      expect(text).toMatch(/hotitem_protect_received_bytes_total [1-9]/);
    });

    test('the holder of the token can do what the owner can, and the audit log says so', async () => {
      const ends = Date.now() + 600_000;
      expect(
        await control('hot/pin', { item: 'by api', until: ends, reason: 'mailing', by: 'anna' }),
      ).toEqual({
        status: 200,
        body: expect.objectContaining({ done: 'pin', item: 'by api', frozen: false }),
      });
      expect((await hotList()).overrides).toContainEqual({
        kind: 'pin',
        item: 'by api',
        until: ends,
        reason: 'mailing',
        by: 'api: anna',
      });
      await until(() => isInHotList('hot', 'by api'), { timeoutMs: SOON_MS, what: 'its file', detail });
      expect(await control('hot/ban', { item: 'by api' })).toMatchObject({ status: 200 });
      expect(isInHotList('hot', 'by api')).toBe(false);
      expect(await control('hot/freeze', {})).toMatchObject({ status: 200, body: { frozen: true } });
      expect(isInHotList('hot', 'same')).toBe(false);
      expect(await control('hot/thaw', {})).toMatchObject({ status: 200, body: { frozen: false } });
      expect(await control('hot/clear', { item: 'by api' })).toMatchObject({ status: 200 });
      expect(await control('hot/pin', { item: '', forever: true })).toEqual({
        status: 400,
        body: { error: expect.stringMatching(/item: .*forever/) },
      });
      expect(await control('purge', { item: 'nobody' })).toMatchObject({ status: 409 });
      expect(await control('hot/ban', { item: 'x' }, 'x'.repeat(43))).toMatchObject({ status: 401 });
      const read = () => {
        const text = readFileSync(join(home, 'heat-audit.ndjson'), 'utf8');
        return text.includes('"refused"') ? text : undefined;
      };
      const audit = await until(read, { timeoutMs: SOON_MS, what: 'the last entry of the audit log' });
      for (const what of ['pin', 'ban', 'freeze', 'thaw', 'clear', 'purge'])
        expect(audit).toMatch(new RegExp(`"who":"api[^"]*","what":"${what}"`));
      expect(audit).toMatch(/"who":"api, from 127\.0\.0\.1","what":"refused".*the token is wrong/);
      expect(audit + sidecar.log()).not.toContain(readFileSync(tokenFile, 'utf8').trim());
    });

    test('a token is for its owner only, and is replaced at once where that is asked for', async () => {
      expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
      const old = readFileSync(tokenFile, 'utf8').trim();
      expect(await runHotitem(['control', 'token'], ofToken())).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--rotate'),
      });
      const rotated = await runHotitem(['control', 'token', '--rotate'], ofToken());
      expect([rotated.code, readFileSync(tokenFile, 'utf8').trim()]).toEqual([
        0,
        expect.not.stringMatching(old),
      ]);
      expect(await control('hot/thaw', {}, old)).toMatchObject({ status: 401 });
      expect(await control('hot/thaw', {})).toMatchObject({ status: 200 });
    });

    test('the origin is killed during the sale: shoppers get the page for as long as is said, and then its own error', async () => {
      let filledAt = 0;
      site.origin.answers.sale = ({ headers }, response) => {
        if (headers.cookie === undefined) response.on('finish', () => (filledAt = Date.now()));
        response.end('for sale');
      };
      await turnHot('sale');
      await kept('sale');
      const sale = startSale(() => site.get('/item/sale.html'));
      const { pages } = sale;
      const since = (count: number) => () => pages.length > count;
      await until(since(50), { timeoutMs: SOON_MS, what: 'shoppers', detail });
      const isKilledWhileKept = async () => {
        await kept('sale');
        await site.origin.close();
        if ((await stateOf('sale'))?.state === 'kept') return true;
        await site.origin.open();
        pages.length = 0;
        return false;
      };
      await until(isKilledWhileKept, { timeoutMs: SOON_MS, what: 'a page that is kept', detail });
      // As without us: who must not share gets no page that is shared.
      const own = await site.get('/item/sale.html', { headers: { cookie: 'session=bob' } });
      const isOver = () => pages.some(({ status }) => status !== 200);
      await until(isOver, { timeoutMs: SOON_MS, what: 'the error of the origin', detail });
      const [end] = pages.filter(({ status }) => status !== 200);
      await until(since(pages.length + 50), { timeoutMs: SOON_MS, what: 'more shoppers', detail });
      await sale.stop();
      const after = pages.filter(({ askedAt }) => askedAt > (end?.at ?? 0));
      const before = pages.filter((page) => !after.includes(page) && page.status === 200);
      expect(own.status).toBe(502);
      expect(new Set(before.map(({ body }) => body))).toEqual(new Set(['for sale']));
      expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([200, 502]));
      expect(new Set(after.map(({ status }) => status))).toEqual(new Set([502]));
      expect((end?.at ?? 0) - filledAt).toBeGreaterThan((STALE_SECONDS - 1) * 1_000);
      await refused('sale', /^(?:cannot be refreshed: )?the origin answers 502$/);
      await site.origin.open();
      // Tried again after ten seconds.
      if (FULL) await kept('sale');
    });

    test('without nginx nothing is kept, and status says why', async () => {
      await tryLimit();
      await site.nginx.stop();
      const isNamed = async () => (await hotList()).keeperFailure?.includes(REFUSED);
      await until(isNamed, { timeoutMs: SOON_MS, what: 'the failure', detail });
      const isDropped = () => !isInHotList('cache', 'same');
      await until(isDropped, { timeoutMs: SOON_MS, what: 'its page to be dropped', detail });
      const { stdout } = await runHotitem(['status'], {
        HOTITEM_HOME: home,
        HOTITEM_ADMIN_LISTEN: sidecar.admin,
      });
      expect(stdout).toContain('pages of hot items are not cached');
      expect(stdout).toMatch(
        /requests that limit\.conf checked, the last at \S+Z\n.*\n.*\n +would be limited +\d+\n/,
      );
    });
  });

  suiteWith(['nginx', 'chromium'])('on the live page, without nginx:', () => {
    testInFull('a purge says why it cannot be done', async () => {
      await site.nginx.stop();
      await turnHot('price');
      await openPage();
      await controlOf('price').press('Enter');
      await identify();
      await purge('Control price');
      await page.getByText(/Not done: .*price.*: no answer from nginx/).waitFor(PATIENCE);
    });
  });

  /** More requests for `guarded` than its limit allows, until that is counted. `statuses`: all different ones of the answers. */
  async function tryLimit(): Promise<{ statuses: number[]; limit: SeenLimit }> {
    await turnHot('guarded');
    await until(() => isInHotList('limit', 'guarded'), { timeoutMs: SOON_MS, what: 'the limit', detail });
    const statuses = new Set<number>();
    // On a busy machine the hot list may be too old for some of them.
    const counted = async () => {
      const crowd = Array.from({ length: 40 }, () => site.get('/tolerant/item/guarded.html'));
      for (const { status } of await Promise.all(crowd)) statuses.add(status);
      const limit = (await hotList()).hot.find(({ item }) => item === 'guarded')?.limit;
      return limit !== undefined && limit.wouldLimit > 0 ? limit : undefined;
    };
    const limit = await until(counted, { timeoutMs: SOON_MS, what: 'requests to be counted', detail });
    return { statuses: [...statuses], limit };
  }

  async function openPage(): Promise<void> {
    browser ??= await launchChromium();
    page = await browser.newPage({ locale: 'en-GB' });
    page.setDefaultTimeout(PATIENCE.timeout);
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`http://${sidecar.admin}/#/hot`);
    await page.getByRole('region', { name: 'Control' }).waitFor(PATIENCE);
  }

  function controlOf(item: string) {
    return page.getByRole('button', { name: `Control… ${item}`, exact: true });
  }

  async function identify(): Promise<void> {
    await page.getByRole('heading', { name: 'Control needs the token' }).waitFor(PATIENCE);
    await page.keyboard.type(readFileSync(tokenFile, 'utf8').trim());
    await page.keyboard.press('Tab');
    await page.keyboard.type('anna');
    await page.keyboard.press('Enter');
  }

  /** What the page says of a purge in the dialog with that title. Asked again where nginx or the origin was late, as on a busy machine. */
  function purged(title: string, open: () => Promise<void>): Promise<string> {
    return until(async () => {
      await open();
      await purge(title);
      await page.getByRole('dialog').waitFor({ ...PATIENCE, state: 'hidden' });
      const said = await page.getByRole('region', { name: 'Control' }).getByRole('status').textContent();
      return said === null || isLate(said) ? undefined : said;
    }, PURGE);
  }

  /** In the dialog with that title, in which the first choice has the focus. */
  async function purge(title: string): Promise<void> {
    await page.getByRole('heading', { name: title }).waitFor(PATIENCE);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.type('a new price');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Is this right?' }).waitFor(PATIENCE);
    // From No, which has the focus.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
  }

  /** Of the shop that `beforeAll` starts. */
  function methods(): Pick<KeeperShop, 'turnHot' | 'stateOf' | 'kept' | 'refused' | 'hotList' | 'detail'> {
    return {
      turnHot: (...args) => shop.turnHot(...args),
      stateOf: (item) => shop.stateOf(item),
      kept: (item) => shop.kept(item),
      refused: (item, reason) => shop.refused(item, reason),
      hotList: () => shop.hotList(),
      detail: () => shop.detail(),
    };
  }

  /**
   * Calls `attempt` while the page is kept, and then the checks that it returns; again where the page was given up meanwhile, as it is
   * where the sidecar stands still for longer than a page is shown.
   */
  async function whileKept(item: string, attempt: () => Promise<() => void>): Promise<void> {
    const isUndisturbed = async () => {
      await kept(item);
      const before = await sidecar.metric('hotitem_protect_dropped_total');
      const check = await attempt();
      const isKept = (await stateOf(item))?.state === 'kept';
      if (!isKept || (await sidecar.metric('hotitem_protect_dropped_total')) > before) return false;
      check();
      return true;
    };
    await until(isUndisturbed, { timeoutMs: SOON_MS, what: `${item} to be kept for a while`, detail });
  }

  /** What the command says, once that is not that nginx was late. */
  async function answered(args: string[]): Promise<Ran | undefined> {
    const ran = await runHotitem(args, { HOTITEM_HOME: home });
    return isLate(ran.stderr) ? undefined : ran;
  }

  function ofToken() {
    return { HOTITEM_HOME: join(site.folder, 'sidecar'), HOTITEM_ADMIN_CONTROL_TOKEN_FILE: tokenFile };
  }

  async function control(
    action: string,
    body: object,
    token = readFileSync(tokenFile, 'utf8').trim(),
  ): Promise<{ status: number; body: unknown }> {
    const answer = await askOnce(`http://${sidecar.admin}/api/v1/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  }

  function isInHotList(action: string, item: string): boolean {
    return isListed(site.hot, action, item);
  }
});

/** By name, and without what is removed meanwhile. */
function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** Whether a busy machine did not answer the keeper in time. */
function isLate(text: string): boolean {
  return text.includes('no whole answer within');
}

const THOUSAND = Array.from({ length: 1_000 }, (_, i) => `slow${i}`);
const PER_SECOND = 50;
const WATCHED_MS = 20_000;

// Long: with HOTITEM_TEST_FULL=1 only. test/unit/protect/keeper.test.ts has the same with a clock of its own.
(FULL ? describe : describe.skip)('the keeper of a thousand hot items', () => {
  suiteWith(['nginx'])('is no flood:', () => {
    let site: ProtectSite;
    let shop: KeeperShop;
    let [running, most] = [0, 0];

    beforeAll(async () => {
      site = await startProtectSite('trixie', { hasHotList: false });
      site.origin.answers.slow = (_, response, page) => {
        most = Math.max(most, ++running);
        setTimeout(() => {
          running--;
          response.end(page.slice(page.indexOf('of'), page.indexOf('\n')));
        }, 20);
      };
      const rules = join(site.folder, 'rules.yml');
      writeFileSync(
        rules,
        'cap: 1000\nrules:\n  - busy:\n      enter_views_per_second: 0.5\n      leave_views_per_second: 0.01\n      dwell_seconds: 600\n',
      );
      shop = await startKeeperShop({
        folder: site.folder,
        hot: site.hot,
        keeperPort: site.keeperPort,
        hosts: [HOST],
        env: { HOTITEM_HEAT_RULES: rules },
      });
    }, 300_000);
    afterAll(async () => {
      await shop?.sidecar.stop();
      await site?.close();
    });

    test('requests a second and at once are bounded, and what is kept stays fresh', async () => {
      for (let i = 0; i < THOUSAND.length; i += 50) {
        const lines = THOUSAND.slice(i, i + 50).flatMap((item) =>
          Array.from({ length: 20 }, (_, visitor) =>
            lineOf({ item, ip: addressOf(visitor), host: HOST, target: `/item/${item}.html` }),
          ),
        );
        await postLines(join(shop.home, 'run/intake.sock'), lines);
      }
      const list = () => shop.hotList();
      await until(
        async () => (await list()).hot.filter(({ page }) => page?.state === 'kept').length > PER_SECOND,
        {
          timeoutMs: SOON_MS,
          what: 'pages to be kept',
          detail: shop.detail,
        },
      );
      site.origin.asked.length = 0;
      const began = Date.now();
      await until(() => Date.now() - began > WATCHED_MS, {
        timeoutMs: 2 * WATCHED_MS,
        what: 'the time to pass',
      });
      const perSecond = site.origin.asked.length / ((Date.now() - began) / 1_000);
      const { hot, now } = await list();
      const pages = hot.flatMap(({ page }) => (page?.state === 'kept' ? [page] : []));
      const oldest = Math.max(...pages.map(({ refreshedAt }) => now - refreshedAt));
      record(
        `1,000 hot items: the keeper asks the origin ${perSecond.toFixed(1)} times a second, ${most} at once; ${pages.length} pages kept, the oldest ${oldest} ms old`,
      );
      expect(hot.length).toBeGreaterThanOrEqual(THOUSAND.length);
      expect(perSecond).toBeLessThanOrEqual(1.1 * PER_SECOND);
      expect(most).toBeLessThanOrEqual(4);
      expect(pages.length).toBeGreaterThan(PER_SECOND);
      expect(oldest).toBeLessThan(10_000);
    });
  });
});
