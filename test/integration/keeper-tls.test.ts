import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { installNginx } from '../../nginx-setup/install.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { isListed } from './hot-list-files.ts';
import { type KeeperShop, startKeeperShop } from './keeper-shop.ts';
import { type HostileOrigin, startHostileOrigin } from './nginx-protect-origin.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
const SOON_MS = 60_000;
const STALE_SECONDS = 3;
const SUITES: Suite[] = FULL ? ['trixie', 'bookworm', 'sid'] : ['trixie'];
const HOSTS = ['shop.test', 'www.shop.test', 'second.test'];

describe.each(SUITES)('the keeper of a shop over TLS with nginx of %s', (suite) => {
  let folder: ReturnType<typeof temporaryFolder>;
  let origin: HostileOrigin;
  let nginx: NginxPart;
  let shop: KeeperShop;
  let hot: string;
  let port: number;
  let edition = 'first';
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  /** How often shoppers asked for the page of an item. */
  const asked = new Map<string, number>();

  beforeAll(async () => {
    folder = temporaryFolder('keeper-tls');
    const [ownPort = 0, keeperPort = 0, tlsOrigin = 0, originPort = 0, breaker] = await freePorts(5);
    port = ownPort;
    hot = join(folder.path, 'hot');
    const [home, spill] = [join(folder.path, 'hotitem'), join(folder.path, 'sidecar/spill')];
    mkdirSync(spill, { recursive: true });
    await installNginx({
      dir: home,
      socket: join(folder.path, 'sidecar/run/intake.sock'),
      spill,
      hot,
      keeper: `127.0.0.1:${keeperPort}`,
      cache: join(folder.path, 'kept'),
      breaker: `127.0.0.1:${breaker}`,
      staleSeconds: STALE_SECONDS,
    });
    writeFileSync(
      join(home, 'items.conf'),
      'map $uri $hotitem_item { "~/item/(?<hotitem_id>\\w+)\\.html$" $hotitem_id; default "-"; }\n',
    );
    makeCertificate(folder.path);
    origin = await startHostileOrigin(originPort);
    for (const item of ['one', 'two', 'four']) {
      origin.answers[item] = ({ headers }, response) =>
        response.end(`${edition} of ${headers.host} for ${headers.cookie ?? 'all'}`);
    }
    const config = join(folder.path, 'nginx.conf');
    const listens = `listen 127.0.0.1:${port} ssl; listen 127.0.0.1:${keeperPort} ssl;`;
    writeFileSync(config, configuration({ home, listens, tlsOrigin, originPort }));
    nginx = await startNginx({
      build: await obtainNginx({ suite, report: () => {} }),
      prefix: folder.path,
      config,
    });
    shop = await startKeeperShop({
      folder: folder.path,
      hot,
      keeperPort,
      hosts: HOSTS,
      env: {
        HOTITEM_PROTECT_HTTPS: 'true',
        HOTITEM_PROTECT_HEADERS: 'X-Forwarded-Proto: https',
        HOTITEM_PROTECT_STALE_SECONDS: String(STALE_SECONDS),
      },
    });
  }, 300_000);
  afterAll(async () => {
    agent.destroy();
    await shop?.sidecar.stop();
    await nginx?.close();
    await origin?.close();
    folder?.remove();
  });

  suiteWith(['nginx'])('share hot pages:', () => {
    test('one page an item: at the host by which shoppers come, from an origin over TLS', async () => {
      await shop.turnHot('one', undefined, 'www.shop.test');
      await shop.kept('one');
      const { address } = { address: '', ...(await shop.stateOf('one')) };
      expect(address).toMatch(/^https:\/\/www\.shop\.test\/item\/one\.html/);
      // Again where a busy machine was too late to keep it.
      const isShared = async () => {
        const pages = await Promise.all(
          Array.from({ length: 20 }, () => get('www.shop.test', '/item/one.html?gclid=1')),
        );
        expect(new Set(pages.map(({ body }) => body))).toEqual(new Set(['first of www.shop.test for all']));
        return shared().includes('www.shop.test/item/one.html?gclid=1 shared');
      };
      await until(isShared, { timeoutMs: SOON_MS, what: 'a shared page', detail: shop.detail });
      origin.asked.length = 0;
      const own = await get('www.shop.test', '/item/one.html', { cookie: 'session=alice' });
      const other = await get('shop.test', '/item/one.html');
      expect([own.body, other.body]).toEqual([
        'first of www.shop.test for session=alice',
        'first of shop.test for all',
      ]);
      expect(origin.asked.map(({ headers }) => headers.host)).toEqual(
        expect.arrayContaining(['www.shop.test', 'shop.test']),
      );
    });

    test('each server keeps the pages of its own hosts', async () => {
      await shop.turnHot('two', undefined, 'second.test');
      await shop.kept('two');
      const isShared = async () => {
        expect((await get('second.test', '/item/two.html')).body).toBe('first of second.test for all');
        return shared().includes('second.test/item/two.html shared');
      };
      await until(isShared, { timeoutMs: SOON_MS, what: 'a shared page', detail: shop.detail });
    });

    test('a host that is not in the list is not asked for', async () => {
      await shop.turnHot('three', undefined, 'evil.test');
      await until(async () => (await shop.stateOf('three')) !== undefined, {
        timeoutMs: SOON_MS,
        what: 'the item',
        detail: shop.detail,
      });
      await shop.turnHot('four');
      await shop.kept('four');
      expect(await shop.stateOf('three')).toEqual({
        state: 'waiting',
        reason: 'no shopper came by a usable address of a host in protect.hosts',
      });
      expect(origin.asked.some(({ url }) => url.includes('three'))).toBe(false);
    });

    test('the sidecar counts what nginx did for shoppers, and says so', async () => {
      await get('shop.test', '/item/three.html');
      const metrics = () => shop.sidecar.text('/metrics');
      const all = [...asked.values()].reduce((sum, count) => sum + count, 0);
      await until(async () => (await shop.sidecar.metric('hotitem_protect_shoppers_total')) === all, {
        timeoutMs: SOON_MS,
        what: 'the last request to be counted',
        detail: shop.detail,
      });
      const [text, explained] = [await shop.show('one'), await shop.explain('one')];
      const {
        shared = 0,
        stale = 0,
        missing = 0,
        unkept = 0,
        since = 0,
        at = 0,
        ...others
      } = { ...explained.nginx?.shoppers };
      // On a busy machine a page may be too old when it is asked for, or not be kept for a moment.
      const isKept = (await shop.sidecar.metric('hotitem_protect_dropped_total')) === 0;
      expect([shared + stale + missing + unkept, others]).toEqual([(asked.get('one') ?? 0) - 1, { own: 1 }]);
      expect([shared + stale > 0, since > 0, at >= since]).toEqual([true, true, true]);
      expect(text).toMatch(
        /requests of shoppers, counted since [\d:]+Z: \d+ from the cache.*, \d+ to the origin \(1 must not share, \d+ /,
      );
      if (isKept)
        expect([missing > 0, unkept, text]).toEqual([true, 0, expect.stringMatching(/ found no page\)/)]);
      expect(
        (await runHotitem(['status'], { HOTITEM_HOME: shop.home, HOTITEM_ADMIN_LISTEN: shop.sidecar.admin }))
          .stdout,
      ).toMatch(
        /requests for hot items, the last at \S+Z\n +from the cache +\d+\n(?: .*\n)* +page not kept +[1-9]\d*\n/,
      );
      expect(await shop.sidecar.json('/api/v1/health')).toMatchObject({
        hot: { cached: expect.any(Number), origin: expect.any(Number), at: expect.any(Number) },
      });
      expect(await metrics()).toMatch(/protect_shoppers_total\{page="own"\} 1\n/);
    });

    test("nginx's own log tells shared pages from the origin's", async () => {
      await until(() => shared().includes('second.test/item/two.html shared'), {
        timeoutMs: SOON_MS,
        what: 'the log of shared pages',
      });
      expect(shared()).toContain('www.shop.test/item/one.html?gclid=1 shared');
      expect(shared()).toContain('www.shop.test/item/one.html own');
      expect(shared()).toContain(' shop.test/item/one.html missing');
      expect(shared()).not.toContain('iPhone');
    });

    test('a killed sidecar fails no page, and what it kept is from the origin again', async () => {
      await shop.sidecar.kill();
      edition = 'second';
      const killedAt = Date.now();
      const isOver = () => !FULL || !isListed(hot, 'cache', 'two');
      const replies = new Set<number>();
      await until(
        async () => {
          const { status, body } = await get('second.test', '/item/two.html');
          replies.add(status);
          return body.startsWith('second') && isOver();
        },
        { timeoutMs: SOON_MS, what: 'a page of the origin' },
      );
      expect([...replies]).toEqual([200]);
      // Pages stay as old as is said, and the hot list for its twenty seconds; the rest is a machine that is busy.
      if (FULL) expect(Date.now() - killedAt).toBeLessThan(25_000);
    });
  });

  function get(
    host: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string }> {
    const item = /\/item\/(\w+)/.exec(path)?.[1] ?? '';
    asked.set(item, (asked.get(item) ?? 0) + 1);
    return new Promise((resolve, reject) => {
      const options = {
        port,
        path,
        agent,
        servername: host,
        headers: { host, 'x-forwarded-proto': 'https', ...headers },
      };
      const sent = request({ host: '127.0.0.1', rejectUnauthorized: false, ...options }, (response) => {
        let body = '';
        response.setEncoding('latin1').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.on('error', reject).end();
    });
  }

  function shared(): string {
    return readFileSync(join(folder.path, 'shared.log'), 'utf8');
  }
});

function makeCertificate(folder: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
  const names = `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(',')}`;
  const args = [
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=shop.test',
    '-addext',
    names,
    '-days',
    '2',
    '-out',
    'cert.pem',
  ];
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

function configuration(given: {
  home: string;
  listens: string;
  tlsOrigin: number;
  originPort: number;
}): string {
  const { home, listens, tlsOrigin, originPort } = given;
  const include = (name: string) => `include "${join(home, name)}";`;
  const pages = `${include('server-hot.conf')} ${include('server-protect.conf')}
    location /item/ { ${include('cache.conf')} proxy_pass https://127.0.0.1:${tlsOrigin}; }`;
  return `${WORKER_USER}
  worker_processes 1;
  pid nginx.pid;
  events { worker_connections 512; }
  http {
    ${include('http-log.conf')}
    ${include('http-hot.conf')}
    ${include('http-protect.conf')}
    variables_hash_max_size 2048;
    log_format shared ' $host$request_uri $hotitem_shared $http_user_agent';
    access_log shared.log shared if=$hotitem_shared;
    # For the log: it must exist.
    root "${home}";
    ${include('log-shared.conf')}
    ${temporaryPaths()}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    server { ${listens} server_name shop.test www.shop.test; ${pages} }
    server { ${listens} server_name second.test; ${pages} }
    server {
      listen 127.0.0.1:${tlsOrigin} ssl;
      server_name origin.test;
      location / { proxy_pass http://127.0.0.1:${originPort}; }
    }
  }`;
}
