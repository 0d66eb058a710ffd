import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { WholeHotList } from '../../heat/hot-list.ts';
import type { KeptState } from '../../protect/keeper.ts';
import type { Suite } from '../../provision/versions.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { isListed } from './hot-list-files.ts';
import { HOST, type ProtectSite, startProtectSite } from './nginx-protect-site.ts';
import { FULL } from './nginx-requests-ways.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(120_000);
const SOON_MS = 60_000;
const STALE_SECONDS = 5;
const SUITES: Suite[] = FULL ? ['trixie', 'bookworm', 'sid'] : ['trixie'];
const BUSY_VIEWS = 600;

describe.each(SUITES)('the keeper and nginx of %s', (suite) => {
  let site: ProtectSite;
  let sidecar: Service;
  let home: string;

  beforeAll(async () => {
    site = await startProtectSite(suite, { hasHotList: false });
    const answers = site.origin.answers;
    answers.same = (_, response) => response.end('the same for all');
    answers.price = (_, response) => response.end(`price ${price}`);
    answers.turns = (_, response) => {
      if (isTurned) response.setHeader('Set-Cookie', 'session=alice');
      response.end(isTurned ? 'of alice' : 'of nobody');
    };
    answers.tongue = (request, response) => response.end(`in ${request.headers['accept-language'] ?? 'any'}`);
    answers.device = (request, response) =>
      response.end(/iPhone/.test(request.headers['user-agent'] ?? '') ? 'small' : 'large');
    answers.endless = (_, response) => {
      const writing = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.once('close', () => clearInterval(writing));
    };
    answers.weak = (_, response) => response.writeHead(isWeak ? 503 : 200).end('weak');
    home = join(site.folder, 'sidecar');
    mkdirSync(home);
    const [admin] = await freePorts(1);
    sidecar = await startService({
      args: ['sidecar'],
      admin: `127.0.0.1:${admin}`,
      logFile: join(home, 'sidecar.log'),
      env: {
        HOTITEM_HOME: home,
        HOTITEM_NODE: 'web-1',
        HOTITEM_ADMIN_LISTEN: `127.0.0.1:${admin}`,
        HOTITEM_HEAT_DIR: site.hot,
        HOTITEM_NGINX_KEEPER: `127.0.0.1:${site.keeperPort}`,
        HOTITEM_PROTECT_HOSTS: HOST,
        HOTITEM_PROTECT_STALE_SECONDS: String(STALE_SECONDS),
      },
    });
  }, 300_000);
  afterAll(async () => {
    await sidecar?.stop();
    await site?.close();
  });
  let price = 1;
  let isTurned = false;
  let isWeak = false;

  suiteWith(['nginx'])('share hot pages:', () => {
    test('shoppers get a page that is kept fresh, and the origin a request a second however many they are', async () => {
      await turnHot('same');
      await until(() => isKept('same'), { timeoutMs: SOON_MS, what: 'the page to be kept', detail });
      site.origin.asked.length = 0;
      const began = Date.now();
      const pages = await Promise.all(
        Array.from({ length: 500 }, () => site.get('/item/same.html?utm_source=mail')),
      );
      expect(new Set(pages.map(({ body }) => body))).toEqual(new Set(['the same for all']));
      // A refresh a second; a comparison, of two requests, may come in between.
      expect(site.origin.asked.length).toBeLessThan(6 + (Date.now() - began) / 500);
      expect(site.origin.asked.every(({ headers }) => headers.cookie === undefined)).toBe(true);
    });

    test('its own requests are no views', async () => {
      expect(site.lines()).not.toMatch(/iPhone/);
    });

    test.each([
      ['cookie', 'sets session'],
      ['nostore', 'says Cache-Control: no-store'],
      ['vary', 'varies by Cookie'],
      ['redirect', 'answers 302'],
      ['plain', /^differs from one request to the next at byte 5/],
      ['tongue', /^differs by language at byte 3/],
      ['device', /^differs between phone and desktop at byte 0/],
      ['huge', 'is larger than 5 MB'],
      ['endless', 'is larger than 5 MB'],
      ['failing', 'the origin answers 503'],
    ])('a page of the kind %s is not kept, and the decision says so', async (item, reason) => {
      await turnHot(item);
      const refused = await until(
        async () => {
          const state = await stateOf(item);
          return state?.state === 'refused' ? state : undefined;
        },
        { timeoutMs: SOON_MS, what: 'the page to be refused', detail },
      );
      expect(refused.reason).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
      expect(isInHotList('cache', item)).toBe(false);
      expect(isInHotList('hot', item)).toBe(true);
    });

    test('a page that begins to set a cookie is dropped at once, and no shopper gets another one’s', async () => {
      await turnHot('turns');
      await until(() => isKept('turns'), { timeoutMs: SOON_MS, what: 'the page to be kept', detail });
      isTurned = true;
      await until(async () => (await stateOf('turns'))?.state === 'refused', {
        timeoutMs: SOON_MS,
        what: 'the page to be dropped',
        detail,
      });
      expect((await stateOf('turns'))?.reason).toBe('sets session');
      site.origin.asked.length = 0;
      expect((await site.get('/item/turns.html', { headers: { cookie: 'session=bob' } })).body).toBe(
        'of alice',
      );
      expect(site.origin.asked.some(({ headers }) => headers.cookie === 'session=bob')).toBe(true);
    });

    test('a purge shows at once', async () => {
      await turnHot('price');
      await until(() => isKept('price'), { timeoutMs: SOON_MS, what: 'the page to be kept', detail });
      for (price = 2; price < 6; price++) {
        const { code, stdout } = await runHotitem(['purge', 'price'], { HOTITEM_HOME: home });
        expect([code, stdout]).toEqual([
          0,
          expect.stringMatching(/^price: cached, refreshed \d+\.\d s ago\n$/),
        ]);
        expect((await site.get('/item/price.html')).body).toBe(`price ${price}`);
      }
      expect(await runHotitem(['purge', 'cookie'], { HOTITEM_HOME: home })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('sets session'),
      });
    });

    test('while the origin is down shoppers see the page for as long as is said, and then the error', async () => {
      await turnHot('weak');
      await until(() => isKept('weak'), { timeoutMs: SOON_MS, what: 'the page to be kept', detail });
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
    });

    test('a hostile address in a view is not asked for', async () => {
      site.origin.asked.length = 0;
      const hostile = [
        '//item/evil.html',
        'http://evil.test/item/evil.html',
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
      await until(() => isKept('same2'), { timeoutMs: SOON_MS, what: 'the next page to be kept', detail });
      expect(site.origin.asked.filter(({ url }) => /evil|\s/.test(url))).toEqual([]);
      expect((await stateOf('hostile'))?.state).toBe('waiting');
    });

    test('hot list and show say what nginx does with a page', async () => {
      const { stdout } = await runHotitem(['hot', 'list'], { HOTITEM_HOME: home });
      expect(stdout).toMatch(/same .*\n.*\n *cached, refreshed \d+\.\d s ago/);
      expect(stdout).toMatch(/not cached: varies by Cookie/);
    });

    test('monitoring is told', async () => {
      const text = await sidecar.text('/metrics');
      expect(text).toMatch(/hotitem_protect_items\{state="kept"\} [1-9]/);
      expect(text).toMatch(/hotitem_protect_requests_total\{kind="fill"\} [1-9]/);
      expect(text).toMatch(/hotitem_protect_reachable 1/);
    });

    test('without nginx nothing is kept, and status says why', async () => {
      await site.nginx.stop();
      const failed = async () => (await hotList()).keeperFailure;
      const failure = await until(failed, { timeoutMs: SOON_MS, what: 'the failure', detail });
      expect(failure).toContain('ECONNREFUSED');
      expect(isInHotList('cache', 'same')).toBe(false);
      const { stdout } = await runHotitem(['status'], {
        HOTITEM_HOME: home,
        HOTITEM_ADMIN_LISTEN: sidecar.admin,
      });
      expect(stdout).toContain('no page of a hot item is cached');
    });
  });

  async function turnHot(
    item: string,
    targets = [`/item/${item}.html`, `/item/${item}.html?utm_source=mail`],
  ): Promise<void> {
    const lines = Array.from({ length: BUSY_VIEWS }, (_, i) =>
      lineOf({ item, ip: addressOf(i), host: HOST, target: targets[i % targets.length] ?? '' }),
    );
    await postLines(join(home, 'run/intake.sock'), lines);
  }

  function hotList(): Promise<WholeHotList> {
    return sidecar.json<WholeHotList>('/api/v1/hot');
  }

  async function stateOf(item: string): Promise<KeptState | undefined> {
    return (await hotList()).hot.find((one) => one.item === item && one.page !== undefined)?.page;
  }

  async function isKept(item: string): Promise<boolean> {
    return (await stateOf(item))?.state === 'kept' && isInHotList('cache', item);
  }

  function isInHotList(action: string, item: string): boolean {
    return isListed(site.hot, action, item);
  }

  async function detail(): Promise<string> {
    return `${JSON.stringify((await hotList()).hot)}\n${sidecar.log()}`;
  }
});
