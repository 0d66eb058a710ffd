import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type LogShop, startLogShop } from './nginx-log-shop.ts';
import { openSocket } from './nginx-requests-wire.ts';

jest.setTimeout(180_000);

const ALARMING = /\[(alert|emerg|crit|error|warn)\]/;

/** As few files as a service manager may allow a worker, which has some twenty open before the first client. */
const FEW_FILES = 64;

let build: NginxBuild;
let shop: LogShop;

suiteWith(['nginx'])('the transport log', () => {
  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
    const few = ['/bin/sh', '-c', `ulimit -Sn ${FEW_FILES}; exec "$@"`, 'sh', ...build.command];
    shop = await startLogShop({ ...build, command: few });
  });
  beforeEach(() => shop.fresh());
  // What a test has written is accepted before the next one counts.
  afterEach(async () => {
    await shop.settle((await shop.lines()).length);
  });
  afterAll(() => shop?.close());

  test('needs nothing but nginx: on, off and on again', onOffOn);

  test.each([
    ['a page', '/web/item/1.html', {}, 200],
    ['a page with a query', '/web/item/1.html?from=mail&x=%3F', {}, 200],
    ['a part of a page', '/web/item/1.html', { headers: { range: 'bytes=0-3' } }, 206],
    ['no part of a page', '/web/item/1.html', { headers: { range: 'bytes=9999-' } }, 416],
    ['its head', '/web/item/1.html', { method: 'HEAD' }, 200],
    ['a page that is not there', '/web/item/none.html', {}, 404],
    ['a method that the page has not', '/web/item/1.html', { method: 'POST', body: 'x' }, 405],
    ['an application', '/product?id=1', {}, 200],
    ['an application that is posted to', '/product?id=1', { method: 'POST', body: 'amount=2' }, 200],
    ['an application that fails', '/product?id=1&status=500', {}, 500],
    ['an application that redirects', '/product?id=1&status=302', {}, 302],
  ])('captures a view of %s once', async (_, path, more, status) => {
    expect((await shop.get(path, more)).status).toBe(status);

    const [line, ...others] = await shop.fields(1);
    expect(line).toMatchObject({ version: '2', uri: path, method: 'method' in more ? more.method : 'GET' });
    expect(others).toEqual([]);
    expect((await shop.settle(1)).sidecar).toMatchObject({ bad: 0, duplicate: 0 });
  });

  test.each([
    ['an error page', 'error_page 404 /sorry.html; location = /sorry.html { return 200 sorry; }'],
    ['a named location', 'error_page 404 @sorry; location @sorry { return 200 sorry; }'],
    ['an error page that is an item', 'error_page 404 =200 /web/item/2.html;'],
    [
      'a location with capture of its own',
      'error_page 404 =200 /twice; location = /twice { include "DIR/capture-log.conf"; return 200 sorry; }',
    ],
  ])('captures a view that ends in %s once, as requested', async (_, more) => {
    await addToServer(more.replace('DIR', `${shop.home}/nginx/hotitem`));
    await shop.get('/web/item/none.html');

    expect(await shop.fields(1)).toMatchObject([{ uri: '/web/item/none.html', item: 'none' }]);
    await shop.settle(1);
  });

  test('captures a view whose application is unavailable', async () => {
    await shop.edit('proxy_pass http://', 'proxy_pass http://127.0.0.1:1; #');
    await shop.nginx.reload();

    expect((await shop.get('/product?id=4711')).status).toBe(502);
    expect(await shop.fields(1)).toMatchObject([{ item: '4711' }]);
  });

  test('writes nothing for requests that are not captured, and no warning', async () => {
    await shop.get('/');
    await shop.get('/item/1.html');
    await shop.get('/none');
    await shop.get('/web/item/1.html');

    expect(await shop.fields(1)).toMatchObject([{ uri: '/web/item/1.html' }]);
    expect(await shop.nginx.errorLog()).not.toMatch(/warn|uninitialized/);
  });

  test("keeps the shop's own log as it is", async () => {
    await shop.get('/?own');
    await shop.get('/web/item/1.html?own');
    await shop.fields(1);

    const requests = async () =>
      [...(await shop.accessLog()).matchAll(/"(GET [^"]+own) HTTP/g)].map(([, request]) => request);
    await until(async () => (await requests()).length >= 2, { timeoutMs: 60_000, what: 'its own lines' });
    expect(await requests()).toEqual(['GET /?own', 'GET /web/item/1.html?own']);
  });

  test('has the time of arrival of a view, although it is written at the end', async () => {
    const page = shop.get('/product?id=1&hang');
    await until(() => shop.hanging() === 1, { timeoutMs: 60_000, what: 'the request' });
    const between = Date.now() / 1000;
    expect(await shop.lines()).toEqual([]);
    // nginx caches its clock between two events.
    await until(() => Date.now() / 1000 > between + 0.05, { timeoutMs: 60_000, what: 'some time to pass' });
    shop.release();
    await page;

    const [line] = await shop.fields(1);
    expect(Number(line?.msec)).toBeLessThanOrEqual(between);
  });

  test('cannot be made to forge a line or shift a field', async () => {
    const path = '/web/item/a%0A%09b%FF%3F.html?x=1?y';
    await shop.get(path, { headers: { 'user-agent': 'caf\u00e9\tbar', referer: '"\\' } });

    await until(async () => (await shop.lines()).length > 0, { timeoutMs: 60_000, what: 'the line' });
    const [line, ...others] = await shop.lines();
    expect(line?.split('\t').slice(4)).toEqual([
      'GET',
      expect.any(String),
      path,
      '',
      '"\\',
      '',
      '',
      'caf\u00e9',
      'bar',
    ]);
    expect(others).toEqual([]);
    expect((await shop.settle(1)).sidecar).toMatchObject({ bad: 0 });
  });

  test('writes for a location without other logs, where log.conf stands in place of access_log off', async () => {
    await shop.edit('location /item/ {', `location /item/ { include "${shop.home}/nginx/hotitem/log.conf";`);
    await shop.nginx.reload();
    const before = await shop.accessLog();
    await shop.get('/web/item/1.html');

    expect(await shop.fields(1)).toMatchObject([{ item: '1' }]);
    expect(await shop.accessLog()).toBe(before);
  });

  test('loses a view if the root is missing, and logs it; any existing root is sufficient', async () => {
    await shop.edit('location /product {', 'location /product { root /nonexistent;');
    await shop.nginx.reload();
    expect((await shop.get('/product?id=1')).status).toBe(200);
    await until(async () => /testing "\/nonexistent" existence failed/.test(await shop.nginx.errorLog()), {
      timeoutMs: 60_000,
      what: 'the error log to say so',
    });
    await shop.edit('root /nonexistent;', 'root /usr;');
    await shop.nginx.reload();
    await shop.get('/product?id=2');

    expect((await shop.fields(1)).map(({ item }) => item)).toEqual(['2']);
  });

  test('captures a page under an alias with a capture group, which is not a folder', async () => {
    await addToServer(
      `location ~ ^/shelf/(?<page>.+)$ {
        include "${shop.home}/nginx/hotitem/capture-log.conf";
        alias "${shop.home}/pages/item/$page";
      }`,
    );
    expect((await shop.get('/shelf/none.html')).status).toBe(404);
    expect((await shop.get('/shelf/1.html')).status).toBe(200);

    // nginx takes the page for the root of the one that is not there: docs/nginx.md says so.
    expect(await shop.fields(1)).toMatchObject([{ uri: '/shelf/1.html' }]);
  });

  test('writes every view although all connections of a worker are in use', async () => {
    await addToServer(`location /r/ { include "${shop.home}/nginx/hotitem/capture-log.conf"; return 200; }`);
    const clients = await Promise.all(Array.from({ length: 100 }, () => openSocket(shop.port)));
    const answers = clients.map(
      (client) => new Promise((resolve) => client.once('close', resolve).on('data', () => {})),
    );
    for (const client of clients)
      client.write('GET /r/1 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    await Promise.all(answers);

    expect(await shop.fields(100)).toHaveLength(100);
    expect(await shop.nginx.errorLog()).not.toContain('Too many open files');
  });

  test('with log-limit.conf writes nothing while the folder is full, and pages are served', async () => {
    await addToServer(`include "${shop.home}/nginx/hotitem/log-limit.conf";`);
    // Else the sidecar, which finds room, would remove the file.
    shop.sidecar.pause();
    await shop.get('/web/item/1.html');
    await writeFile(join(shop.home, 'run/intake.sock.full'), '');
    expect((await shop.get('/web/item/2.html')).status).toBe(200);
    shop.sidecar.resume();
    await until(
      () =>
        stat(join(shop.home, 'run/intake.sock.full')).then(
          () => false,
          () => true,
        ),
      {
        timeoutMs: 60_000,
        what: 'the file to go',
      },
    );
    await shop.get('/web/item/3.html');

    expect((await shop.fields(2)).map(({ item }) => item)).toEqual(['1', '3']);
    expect(await shop.nginx.errorLog()).not.toMatch(ALARMING);
  });
});

suiteWith(['nginx'])('the transport log', () => {
  afterEach(() => shop?.close());

  (FULL ? test : test.skip).each<Suite>(['bookworm', 'sid'])(
    'needs nothing but nginx: %s, on, off and on again',
    async (suite) => {
      shop = await startLogShop(await obtainNginx({ suite, report }));
      await onOffOn();
    },
  );

  test('works in one nginx with the others, and a view that passes two transports is one event', async () => {
    shop = await startLogShop(await obtainNginx({ suite: 'trixie', report }), { example: 'shop' });
    const dir = `${shop.home}/nginx/hotitem`;
    await shop.edit('/http.conf";', `/http.conf"; include "${dir}/log.conf";`);
    await shop.edit('location /item/ {', `location /item/ { include "${dir}/capture-log.conf";`);
    await shop.nginx.reload();
    await shop.get('/web/item/1.html');
    await shop.get('/item/2.html');

    expect((await shop.fields(2)).map(({ uri }) => uri)).toEqual(['/web/item/1.html', '/item/2.html']);
    await shop.settle(2);
    await until(async () => (await shop.accounts()).sidecar?.received === 3, {
      timeoutMs: 60_000,
      what: 'the same view by the other way',
    });
    expect((await shop.accounts()).sidecar).toMatchObject({ accepted: 2, duplicate: 1, bad: 0 });
  });
});

async function onOffOn(): Promise<void> {
  await shop.get('/web/item/1.html');
  await shop.edit('/http-log.conf"', '/off.conf"');
  await shop.nginx.reload();
  await shop.get('/web/item/2.html');
  await shop.get('/product?id=2');
  await shop.edit('/off.conf"', '/http-log.conf"');
  await shop.nginx.reload();
  await shop.get('/web/item/3.html');

  expect((await shop.fields(2)).map(({ item }) => item)).toEqual(['1', '3']);
  expect(await shop.nginx.test()).toMatchObject({
    ok: true,
    output: expect.not.stringMatching(ALARMING),
  });
  expect(await shop.nginx.errorLog()).not.toMatch(ALARMING);
  await shop.settle(2);
}

async function addToServer(text: string): Promise<void> {
  await shop.edit('index index.html;', `index index.html; ${text}`);
  await shop.nginx.reload();
}
