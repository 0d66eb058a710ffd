import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { checkNginx } from '../../nginx-setup/check/check-nginx.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import type { Finding } from '../../service/finding.ts';
import { FULL } from '../parts/full.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { PATIENT, startShop, type TestShop } from './nginx-shop.ts';

const START_MS = 300_000;

/** What shops have at the top of a server, certbot's line first: for a subrequest each comes out as it did for the page. */
const RULES = `
  if ($host = www.shop) { return 301 https://shop$request_uri; } # managed by Certbot
  if ($http_user_agent ~* (badbot|worsebot)) { return 403; }
  if ($request_method !~ ^(GET|HEAD|POST)$) { return 405; }
  if (-f $document_root/maintenance) { return 503; }
  if ($arg_preview) { return 404; }
  if ($uri ~ ^/(admin|wp-login)) { return 410; }
  rewrite ^/old/(.*)$ /web/item/$1 permanent;
  set $store main;
  set $cached yes;
  if ($request_method = POST) { set $cached no; }
  if ($http_cookie ~ session) { set $cached no; }
  add_header X-Shop $store/$cached always;`;
/** And what does not: the subrequest would set it back, and the page be another one. */
const CHANGING = `
  set $lang en;`;
const SETS_LANG = `
  location ~ ^/(?<lang>de)/item/ { set $hotitem_captured $hotitem_capture; return 200 "$lang"; }`;

const SUITES: Suite[] = FULL ? ['bookworm', 'trixie', 'sid'] : ['trixie'];

let shop: TestShop | undefined;
let build: NginxBuild;
afterEach(() => shop?.close());

describe.each(SUITES)('check --nginx beside an nginx of %s that runs', (suite) => {
  beforeAll(async () => {
    build = await obtainNginx({ suite, report: () => {} });
  }, START_MS);

  test('has no finding for harmless rules above server.conf: they work, and lose no view', async () => {
    const { get, sidecar, nginx } = await start(SETS_LANG);
    await putAbove(RULES);
    await nginx.reload();

    expect(await errors()).toEqual([]);
    const asked = ['/web/item/4711.html', '/web/item/4712.html?preview=', '/web/item/4713.html?a=b'];
    const pages = await Promise.all(asked.map((path) => get(path)));
    expect(pages.map(({ status, headers }) => [status, headers['x-shop']])).toEqual(
      asked.map(() => [200, 'main/yes']),
    );
    const posted = await get('/web/item/4714.html', { headers: { cookie: 'session=1' } });
    expect(posted.headers['x-shop']).toBe('main/no');
    await until(() => sidecar.kept.length === 4, {
      timeoutMs: 60_000,
      what: 'the lines',
      detail: nginx.errorLog,
    });
    expect(sidecar.kept.map((line) => fieldsOf(line).item).sort()).toEqual(['4711', '4712', '4713', '4714']);

    const others = [
      await get('/web/item/4711.html', { headers: { host: 'www.shop' } }),
      await get('/web/item/4711.html', { headers: { 'user-agent': 'BadBot' } }),
      await get('/web/item/4711.html', { method: 'PUT' }),
      await get('/web/item/4711.html?preview=1'),
      await get('/admin'),
      await get('/old/4711.html'),
    ];
    expect(others.map(({ status }) => status)).toEqual([301, 403, 405, 404, 410, 301]);

    await putAbove(CHANGING);
    expect(await errors()).toEqual(['server-conf-too-late']);
  });

  test('does not report another program if nginx runs with an older state of the files', async () => {
    const { folder, nginx, edit } = await start('');
    const [, breaker] =
      /listen (127\S+);/.exec(await readFile(join(folder, 'hotitem/http.conf'), 'utf8')) ?? [];
    const old = `server { listen ${breaker}; return 404; }`;
    await edit('/http.conf";', `/off.conf"; ${old}`);
    await nginx.reload();
    await edit(`/off.conf"; ${old}`, '/http.conf";');

    const isPending = async () => (await found()).find(({ id }) => id === 'reload-pending');
    const said = `it does not answer as expected at the breaker's address ${breaker} (with 404)`;
    // On a busy machine nginx may not answer in time, and then with nothing.
    const finding = await until(async () => (await isPending())?.what.includes(said) && isPending(), {
      timeoutMs: 60_000,
      what: 'the finding',
      detail: async () => JSON.stringify(await found()),
    });
    expect(finding).toMatchObject({ severity: 'note', command: 'nginx -t && nginx -s reload' });
    expect(await errors()).toEqual([]);
    await nginx.reload();
    await until(async () => (await isPending()) === undefined, { timeoutMs: 60_000, what: 'it to be gone' });
  });

  async function start(locations: string): Promise<TestShop> {
    shop = await startShop({ build, locations, waits: PATIENT });
    await shop.sidecar.start();
    return shop;
  }
});

async function putAbove(rules: string): Promise<void> {
  await shop?.edit('index index.html;', `index index.html;${rules}`);
}

async function errors(): Promise<string[]> {
  return (await found()).filter(({ severity }) => severity === 'error').map(({ id }) => id);
}

async function found(): Promise<Finding[]> {
  if (shop === undefined) throw new Error('no shop');
  const { folder } = shop;
  const report = await checkNginx({
    command: build.command,
    conf: join(folder, 'nginx.conf'),
    sidecar: { socket: join(folder, 'intake.sock'), spill: join(folder, 'spill') },
  });
  return report.findings;
}
