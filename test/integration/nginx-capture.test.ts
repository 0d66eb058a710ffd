import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { PATIENT, startShop, type TestShop } from './nginx-shop.ts';

const START_MS = 300_000;

// /web/shelf/ is captured and rewritten, /plain/shelf/ rewritten only: whatever nginx does to a URI, it does to both.
const LOCATIONS = `
  location /web/shelf/ {
      set $hotitem_captured $hotitem_capture;
      rewrite ^/web(/shelf/.*)$ $1 last;
  }
  location /plain/shelf/ {
      rewrite ^/plain(/shelf/.*)$ $1 last;
  }
  location /shelf/ {
      proxy_pass http://@ORIGIN@;
  }
  location /web/twice/ {
      set $hotitem_captured $hotitem_capture;
      rewrite ^/web(/twice/.*)$ $1 last;
  }
  location /twice/ {
      set $hotitem_captured $hotitem_capture;
      proxy_pass http://@ORIGIN@;
  }
  location /upload/ {
      client_max_body_size 100m;
      set $hotitem_captured $hotitem_capture;
      proxy_pass http://@ORIGIN@;
  }
  location ~ ^/named/(?<page>.+)$ {
      set $hotitem_captured $hotitem_capture;
      return 200 "page $page";
  }`;

const ODD_URIS = [
  'a%3Fb.html',
  '100%25.html',
  'a%2F..%2Fb.html',
  'caf%FF.html',
  'gr%C3%BC%C3%9Fe.html',
  'gr\u00c3\u00bc\u00c3\u009fe.html',
  'a//b.html',
  'a/../b.html',
  'a/./b.html',
  'a%0Ab.html',
  'a%09b.html',
  'a%20b+c.html',
  'a%2Fb.html',
  'web/web/item/a.html',
  'a;b=c,d.html',
  'a&b=c.html',
  '%E2%82',
  'a%23b',
  '?',
  '4711.html?a=1&b=2',
  '4711.html?a=1?b=2',
  '4711.html?a=%3F%25%0A%FF',
  '4711.html?a=gr\u00c3\u00bc',
  '4711.html?url=http://a/../b//c',
];

let shop: TestShop;

beforeAll(async () => {
  shop = await startShop({
    build: await obtainNginx({ suite: 'trixie', report: () => {} }),
    locations: LOCATIONS,
    waits: PATIENT,
  });
  await shop.sidecar.start();
}, START_MS);
afterAll(async () => {
  await shop?.close();
});
afterEach(async () => {
  await shop.settle();
  shop.sidecar.kept.length = 0;
  shop.sidecar.arrived.length = 0;
  shop.origin.asked.length = 0;
});

describe('the line', () => {
  test('contains the fields of the view', async () => {
    const before = Date.now();
    const { status } = await shop.get('/web/item/4711.html?from=mail', {
      headers: {
        host: 'www.example.com',
        referer: 'https://example.com/?q=1',
        'user-agent': 'Mozilla/5.0 (X11)',
      },
    });

    const line = fieldsOf(await onlyLine());
    expect(status).toBe(200);
    expect(line).toMatchObject({
      version: '2',
      ip: '127.0.0.1',
      method: 'GET',
      host: 'www.example.com',
      uri: '/web/item/4711.html?from=mail',
      item: '4711',
      referrer: 'https://example.com/?q=1',
      agent: 'Mozilla/5.0 (X11)',
    });
    expect(line.id).toMatch(/^[0-9a-f]{32}$/);
    expect(line.msec).toMatch(/^\d+\.\d{3}$/);
    // nginx' clock is that of its last event.
    expect(Number(line.msec) * 1000).toBeGreaterThan(before - 1000);
    expect(Number(line.msec) * 1000).toBeLessThanOrEqual(Date.now() + 1);
  });

  test('leaves an absent header empty', async () => {
    await shop.get('/web/item/4711.html');

    expect(fieldsOf(await onlyLine())).toMatchObject({ referrer: '', agent: '' });
  });

  test('is the whole body of the request', async () => {
    await shop.get('/web/item/4711.html');

    await onlyLine();
    expect(shop.sidecar.arrived[0]).toMatchObject({ method: 'POST', url: '/v1/lines' });
    expect(shop.sidecar.kept[0]).not.toContain('\n');
  });

  test.each(ODD_URIS)('has /web/item/%s as requested', async (rest) => {
    const uri = `/web/item/${rest}`;
    await shop.get(uri);

    expect(fieldsOf(await onlyLine()).uri).toBe(uri);
  });

  test.each([
    ['/web/item/4711.html', '4711'],
    ['/web/item/4711', '4711'],
    ['/web/item/a-b_c.2.html', 'a-b_c.2'],
    ['/web/item/47%31%31.html', '4711'],
    ['/web//item/./4711.html', '4711'],
    ['/web/item/view?id=4711', 'view'],
    ['/web/item/?id=4711', '4711'],
    ['/web/item/a/b.html?id=77', '77'],
    ['/web/item/a/b.html', ''],
    ['/web/item/a%0Ab.html', ''],
    ['/web/item/a%09b.html', ''],
    ['/web/item/4711.html%0A', '4711'],
  ])('names the item of %s: %j', async (uri, item) => {
    await shop.get(uri);

    expect(fieldsOf(await onlyLine()).item).toBe(item);
  });

  test('cannot be split or get another field by its path', async () => {
    await shop.get('/web/item/x%0A1%09forged%0D%0A.html');

    expect(fieldsOf(await onlyLine()).item).toBe('');
  });

  test('keeps a tab in the user agent within that field', async () => {
    await shop.get('/web/item/4711.html', { headers: { 'user-agent': 'a\tb' } });

    expect((await onlyLine()).split('\t').slice(11)).toEqual(['a', 'b']);
  });

  test('has the method of a HEAD request', async () => {
    const { status, body } = await shop.get('/web/item/4711.html', { method: 'HEAD' });

    expect(fieldsOf(await onlyLine()).method).toBe('HEAD');
    expect({ status, body }).toEqual({ status: 200, body: '' });
  });
});

describe('the page', () => {
  test.each(ODD_URIS)('reaches the origin with the same URI as with a plain rewrite: %s', async (rest) => {
    const captured = await shop.get(`/web/shelf/${rest}`);
    const plain = await shop.get(`/plain/shelf/${rest}`);

    expect(captured).toMatchObject({ status: plain.status, body: plain.body });
    const [ours, theirs] = shop.origin.asked.map(({ line }) => line);
    expect(ours).toBe(theirs);
    expect(ours === undefined).toBe(plain.status !== 200);
  });

  test('has the bytes of the file', async () => {
    const { body, headers } = await shop.get('/web/item/4711.html');

    expect(body).toBe(await readFile(join('nginx', 'examples', 'pages', 'item', '4711.html'), 'latin1'));
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
  });

  test('that does not exist is a 404, and a view', async () => {
    expect((await shop.get('/web/item/nothing.html')).status).toBe(404);
    expect(fieldsOf(await onlyLine()).item).toBe('nothing');
  });

  test("gets the shopper's POST body, and the sidecar does not", async () => {
    await shop.get('/web/shelf/cart', { method: 'POST', body: 'amount=2' });

    expect(shop.origin.asked).toMatchObject([{ line: 'POST /shelf/cart', body: 'amount=2' }]);
    expect(fieldsOf(await onlyLine()).method).toBe('POST');
  });

  test('may accept uploads larger than the server block allows, and is captured', async () => {
    const body = 'x'.repeat(2_000_000);
    await shop.get('/upload/photo', { method: 'POST', body });

    expect(shop.origin.asked[0]?.body).toHaveLength(body.length);
    await onlyLine();
    expect(await shop.spilled()).toEqual([]);
  });

  test('may use the named groups of its location after the capture', async () => {
    expect((await shop.get('/named/4711')).body).toBe('page 4711');
    await onlyLine();
  });

  test('is counted once if two of its locations capture', async () => {
    await shop.get('/web/twice/4711');
    await shop.get('/twice/4712');

    const uris = (await lines(2)).map((line) => fieldsOf(line).uri);
    expect(uris).toEqual(['/web/twice/4711', '/twice/4712']);
  });

  test('is not counted if no location captures', async () => {
    await shop.get('/item/4711.html');
    await shop.get('/');
    await shop.get('/web/item/4711.html');

    expect(fieldsOf(await onlyLine()).uri).toBe('/web/item/4711.html');
  });
});

describe('the sidecar', () => {
  test("does not get the shopper's cookies or other headers", async () => {
    await shop.get('/web/item/4711.html', {
      headers: { cookie: 'session=secret', authorization: 'Basic c2VjcmV0', 'x-custom': '1' },
    });

    await onlyLine();
    expect(Object.keys(shop.sidecar.arrived[0]?.headers ?? {}).sort()).toEqual(['content-length', 'host']);
  });

  test('is requested over a keep-alive connection', async () => {
    const connections = shop.sidecar.connections();
    for (let i = 1; i <= 50; i++) {
      await shop.get('/web/item/4711.html');
      await lines(i);
    }

    expect(shop.sidecar.connections() - connections).toBeLessThanOrEqual(1);
  });

  test('does not add anything to the page', async () => {
    shop.sidecar.answer = 400;
    const { body } = await shop.get('/web/shelf/4711');
    await shop.settle();
    shop.sidecar.answer = 204;

    expect(body).toBe('GET /shelf/4711');
  });

  test('cannot be reached from outside', async () => {
    expect((await shop.get('/_hotitem/capture', { method: 'POST', body: 'forged' })).status).toBe(404);
    expect(shop.sidecar.arrived).toEqual([]);
    expect(await shop.spilled()).toEqual([]);
  });

  test('gets every view of a keep-alive connection', async () => {
    for (const item of ['4711', '4712', '4713']) await shop.get(`/web/item/${item}.html`);

    expect((await lines(3)).map((line) => fieldsOf(line).item)).toEqual(['4711', '4712', '4713']);
  });
});

describe("the article's defects", () => {
  test('the query string survives the redirect', async () => {
    await shop.get('/web/shelf/4711?from=mail&x=%26');

    expect(shop.origin.asked[0]?.line).toBe('GET /shelf/4711?from=mail&x=%26');
  });

  test('only the leading /web is removed', async () => {
    await shop.get('/web/shelf/web/item/web.html');

    expect(shop.origin.asked[0]?.line).toBe('GET /shelf/web/item/web.html');
  });

  test('client address is not taken from headers', async () => {
    await shop.get('/web/item/4711.html', {
      headers: {
        'x-forwarded-for': '203.0.113.9',
        'x-real-ip': '203.0.113.9',
        'X-Forwarded-For2': '203.0.113.9',
      },
    });

    const line = await onlyLine();
    expect(fieldsOf(line).ip).toBe('127.0.0.1');
    expect(line).not.toContain('203.0.113.9');
  });

  test('no token is sent', async () => {
    await shop.get('/web/item/4711.html');

    expect(await onlyLine()).not.toMatch(/token/i);
  });
});

describe('the error log', () => {
  test('has no unexpected lines', async () => {
    expect(await shop.nginx.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]|exception/);
  });

  test('has a line if the script throws, and the page is served', async () => {
    const script = join(shop.folder, 'hotitem', 'hotitem.njs.js');
    const good = await readFile(script, 'utf8');
    await writeFile(
      script,
      good.replace('function subrequest(r) {', "function subrequest(r) { throw new Error('torn');"),
    );
    await shop.nginx.reload();

    const { status, body } = await shop.get('/web/item/4711.html');
    await writeFile(script, good);
    await shop.nginx.reload();

    expect(status).toBe(200);
    expect(body).toContain('<title>');
    const isTold = async () => (await shop.nginx.errorLog()).includes('torn');
    await until(isTold, { timeoutMs: 60_000, what: 'the error in the log' });
    expect(shop.sidecar.arrived).toEqual([]);
  });
});

function lines(count: number): Promise<string[]> {
  return until(() => (shop.sidecar.kept.length >= count ? shop.sidecar.kept : undefined), {
    timeoutMs: 60_000,
    what: `${count} lines at the sidecar`,
    detail: shop.nginx.errorLog,
  });
}

async function onlyLine(): Promise<string> {
  const kept = await lines(1);
  expect(kept).toHaveLength(1);
  return kept[0] ?? '';
}
