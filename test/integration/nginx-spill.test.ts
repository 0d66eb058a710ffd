import { once } from 'node:events';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { FULL } from '../parts/full.ts';
import { freePorts } from '../parts/ports.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { PATIENT, startShop, type TestShop } from './nginx-shop.ts';
import { runHotitem } from './run-hotitem.ts';
import { chooseTransport } from './transport.ts';

const START_MS = 300_000;
const SOON_MS = 60_000;
/** Of an error log while the sidecar is unavailable: fewer, in a minute. */
const LOG_LINES = 10;
const HIGHEST_LOW_PORT = 1023;
const LOWEST_LOW_PORT = 600;

const byRoot = process.getuid?.() === 0 ? test : test.skip;

let build: NginxBuild;
let shop: TestShop;

beforeAll(async () => {
  build = await obtainNginx({ suite: 'trixie', report: () => {} });
}, START_MS);
// The breaker remembers: each test has an nginx of its own.
afterEach(() => shop?.close());

async function open(): Promise<void> {
  shop = await startShop({ build });
}

describe('a view while the sidecar', () => {
  beforeEach(open);

  test('is absent gets its page and is spilled once', async () => {
    const { status, body } = await shop.get('/web/item/4711.html?from=mail');

    expect(status).toBe(200);
    expect(body).toContain('<title>');
    expect(fieldsOf(await onlySpilled())).toMatchObject({
      uri: '/web/item/4711.html?from=mail',
      item: '4711',
    });
  });

  test.each([413, 429, 500, 503] as const)('answers %d gets its page and is spilled once', async (answer) => {
    shop.sidecar.answer = answer;
    await shop.sidecar.start();

    expect((await shop.get('/web/item/4711.html')).status).toBe(200);
    expect(await onlySpilled()).toBe(await firstArrived());
  });

  test('hangs gets its page and is spilled once', async () => {
    shop.sidecar.answer = 'hang';
    await shop.sidecar.start();

    expect((await shop.get('/web/item/4711.html')).status).toBe(200);
    expect(await onlySpilled()).toBe(await firstArrived());
  });

  test('is absent is spilled with all fields of the line', async () => {
    await shop.get('/web/item/a%0A%09b%FF%3F.html?x=1?y', {
      headers: { 'user-agent': 'caf\u00e9\tbar', referer: '"\\' },
    });

    const line = await onlySpilled();
    expect(line.split('\t').slice(4)).toEqual([
      'GET',
      expect.stringMatching(/^127\.0\.0\.1/),
      '/web/item/a%0A%09b%FF%3F.html?x=1?y',
      '',
      '"\\',
      '',
      '',
      'caf\u00e9',
      'bar',
    ]);
  });
});

describe('a view while a patient nginx has a sidecar that', () => {
  test('answers 400 is not spilled', async () => {
    shop = await startShop({ build, waits: PATIENT });
    shop.sidecar.answer = 400;
    await shop.sidecar.start();
    await shop.get('/web/item/4711.html');
    await shop.settle();

    expect(shop.sidecar.arrived).toHaveLength(1);
    expect(await shop.spilled()).toEqual([]);
  });
});

describe('the circuit breaker', () => {
  beforeEach(open);

  test('spares a hanging sidecar all but the first views', async () => {
    shop.sidecar.answer = 'hang';
    await shop.sidecar.start();
    await shop.get('/web/item/first.html');
    await spilled(1);

    const agent = new Agent({ keepAlive: true });
    await Promise.all(Array.from({ length: 50 }, (_, i) => shop.get(`/web/item/${i}.html`, { agent })));
    agent.destroy();

    const ids = (await spilled(51)).map((line) => fieldsOf(line).id);
    expect(new Set(ids).size).toBe(51);
    await firstArrived();
    expect(shop.sidecar.arrived).toHaveLength(1);
  });

  test('needs no port of its own where the shop listens on all addresses: a taken port does not stop the shop', async () => {
    const { folder, port, nginx, sidecar } = shop;
    const dir = join(folder, 'hotitem');
    const http = join(dir, 'http.conf');
    const before = /server (127\.0\.0\.1):(\d+) backup/.exec(await readFile(http, 'utf8')) ?? [];
    await shop.edit(`listen 127.0.0.1:${port};`, `listen ${port};`);
    const env = {
      HOTITEM_INTAKE_SOCKET: join(folder, 'intake.sock'),
      HOTITEM_SPILL_DIR: join(folder, 'spill'),
    };
    const { code, stdout } = await runHotitem(['nginx', 'install', '--dir', dir], {
      HOTITEM_HOME: folder,
      ...env,
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`is unavailable: 127.0.91.89:${port}, on a port of the shop`);

    await nginx.quit();
    const taken = await listenAt(before[1] ?? '', Number(before[2]));
    await nginx.start();
    await expect(listenAt('127.0.91.89', port)).rejects.toThrow('EADDRINUSE');
    sidecar.answer = 'hang';
    await sidecar.start();
    await shop.get('/web/item/first.html');
    await spilled(1);
    for (let i = 0; i < 20; i++) expect((await shop.get(`/web/item/4711.html?v=${i}`)).status).toBe(200);
    await spilled(21);
    taken.close();

    // The breaker answered: what came after the first view was kept from the sidecar, without a line each.
    await firstArrived();
    expect(sidecar.arrived).toHaveLength(1);
    // But where a busy nginx is late itself in answering for the breaker.
    const isOwnLateness = (line: string) => line.includes('upstream timed out') && !line.includes('unix:');
    expect((await linesOfErrorLog()).filter((line) => !isOwnLateness(line)).length).toBeLessThan(LOG_LINES);
  });

  byRoot('has a port that only root can take where the shop names its addresses', async () => {
    const { folder, port, nginx, sidecar } = shop;
    const dir = join(folder, 'hotitem');
    const low = await freeLowPort();
    await shop.edit(`listen 127.0.0.1:${port};`, `listen 127.0.0.1:${port}; listen 127.0.0.1:${low};`);
    const env = {
      HOTITEM_INTAKE_SOCKET: join(folder, 'intake.sock'),
      HOTITEM_SPILL_DIR: join(folder, 'spill'),
    };
    const { stdout } = await runHotitem(['nginx', 'install', '--dir', dir], {
      HOTITEM_HOME: folder,
      ...env,
    });
    expect(stdout).toContain(`is unavailable: 127.0.91.89:${low}, at a port below 1024 of the shop`);
    await nginx.quit();
    await nginx.start();
    sidecar.answer = 'hang';
    await sidecar.start();
    await shop.get('/web/item/first.html');
    await spilled(1);
    for (let i = 0; i < 5; i++) expect((await shop.get(`/web/item/4711.html?v=${i}`)).status).toBe(200);
    await spilled(6);
    await firstArrived();
    expect(sidecar.arrived).toHaveLength(1);
  });

  test('closes again: views reach a sidecar that is back', async () => {
    const conf = join(shop.folder, 'hotitem/http.conf');
    const text = await readFile(conf, 'utf8');
    expect(text).toContain('fail_timeout=30s');
    await writeFile(conf, text.replace('fail_timeout=30s', 'fail_timeout=1s'));
    await shop.nginx.reload();
    await shop.get('/web/item/4711.html');
    await spilled(1);

    await shop.sidecar.start();
    await until(() => shop.get('/web/item/4712.html').then(() => shop.sidecar.kept.length > 0), {
      timeoutMs: SOON_MS,
      what: 'a view at the sidecar',
      everyMs: 100,
    });

    expect(fieldsOf(shop.sidecar.kept[0]).item).toBe('4712');
  });
});

describe.each([
  ['trixie', 'without', false],
  ['trixie', 'with', true],
  ['bookworm', 'without', false],
] as const)('on nginx of %s %s http-batch.conf', (suite, _, batch) => {
  beforeEach(async () => {
    shop = await startShop({ build: await obtainNginx({ suite, report: () => {} }), workers: 2 });
    // Before nginx looks for it: one that was away is spared the views.
    await shop.sidecar.start();
    if (!batch) return;
    await chooseTransport(join(shop.folder, 'nginx.conf'), 'subrequest');
    await shop.nginx.reload();
  }, START_MS);

  test('a sidecar that begins to hang delays few views, loses none, and leaves the error log quiet', async () => {
    const before = (await linesOfErrorLog()).length;
    shop.sidecar.answer = 'hang';

    const pages = await Promise.all(
      Array.from({ length: 200 }, (_, i) => shop.get(`/web/item/${i}.html`, { agent: new Agent() })),
    );

    expect(pages.map(({ status }) => status)).toEqual(Array(200).fill(404));
    const ids = (await spilled(200)).map((line) => fieldsOf(line).id);
    expect(new Set(ids).size).toBe(200);
    // The items are not in the catalogue.
    const said = (await linesOfErrorLog()).slice(before).filter((line) => !line.includes(' open() "'));
    const timedOut = said.filter((line) => line.includes('upstream timed out'));
    // Each is a view that waited, three at once a worker. nginx counts them: on a busy machine it gives one up before it arrives,
    // and is late itself in answering for the breaker.
    const delayed = timedOut.filter((line) => line.includes('unix:')).length;
    expect(delayed).toBeGreaterThan(0);
    expect(delayed).toBeLessThanOrEqual(6);
    const ownLateness = timedOut.length - delayed;
    expect(said.length - ownLateness).toBeLessThan(LOG_LINES);
  });
});

describe('the spill folder', () => {
  beforeEach(open);

  test('gets no views while the sidecar marks it as full, and pages are served', async () => {
    const full = join(shop.folder, 'intake.sock.full');
    await writeFile(full, '');
    expect((await shop.get('/web/item/4711.html')).status).toBe(200);
    await shop.settle();
    await rm(full);
    await shop.get('/web/item/4712.html');

    expect(fieldsOf(await onlySpilled()).item).toBe('4712');
  });

  test("is checked without the shop's open_file_cache", async () => {
    const full = join(shop.folder, 'intake.sock.full');
    const cache = 'open_file_cache max=10; open_file_cache_errors on; open_file_cache_valid 1h;';
    await shop.edit('index index.html;', `index index.html; ${cache}`);
    await shop.nginx.reload();
    for (const item of ['1', '2', '3']) {
      if (item === '2') await writeFile(full, '');
      else await rm(full, { force: true });
      await shop.get(`/web/item/${item}.html`);
      await shop.settle();
    }

    expect((await spilled(2)).map((line) => fieldsOf(line).item)).toEqual(['1', '3']);
  });

  test('accepts all views even if a file "full" is put into it', async () => {
    await writeFile(join(shop.folder, 'spill/full'), '');
    await shop.get('/web/item/4711.html');

    expect(fieldsOf(await onlySpilled()).item).toBe('4711');
  });

  byRoot('that the workers may not write to: one line a minute in place of one a view', async () => {
    const spill = join(shop.folder, 'spill');
    const views = async (count: number) => {
      for (let i = 0; i < count; i++) await shop.get(`/web/item/${i}.html`);
      await shop.settle();
    };
    await chmod(shop.folder, 0o711);
    await chmod(spill, 0o750);
    await shop.edit('user root;', 'user nobody nogroup;');
    await chooseTransport(join(shop.folder, 'nginx.conf'), 'subrequest');
    await shop.nginx.reload();
    const told = async () =>
      (await linesOfErrorLog()).filter((line) => line.includes('the spill folder is not writable'));
    await until(async () => (await told()).length > 0, { timeoutMs: SOON_MS, what: 'nginx to say so' });
    const before = (await linesOfErrorLog()).length;
    await views(30);
    const said = (await linesOfErrorLog()).slice(before);
    expect(said.filter((line) => line.includes(`${spill}/`))).toEqual([]);
    expect(await told()).toHaveLength(1);

    await chmod(spill, 0o777);
    const taken = async () => {
      await views(1);
      return (await shop.spilled()).length > 0;
    };
    await until(taken, { timeoutMs: SOON_MS, what: 'a view to be spilled again' });
  });

  test('may be missing, and pages are served', async () => {
    await rm(join(shop.folder, 'spill'), { recursive: true });

    expect((await shop.get('/web/item/4711.html')).status).toBe(200);
  });
});

describe('while the sidecar is away or slow,', () => {
  beforeEach(open);

  test('a shopper who leaves while it is slow is not lost', async () => {
    shop.sidecar.answer = 'hang';
    await shop.sidecar.start();

    const client = connect(shop.port, '127.0.0.1');
    client.write('GET /web/item/4711.html HTTP/1.1\r\nHost: shop\r\n\r\n');
    await until(() => shop.sidecar.arrived.length === 1, { timeoutMs: SOON_MS, what: 'the line' });
    client.destroy();

    expect(fieldsOf(await onlySpilled()).item).toBe('4711');
  });

  test('the error log says that it is unavailable, with no alert', async () => {
    await shop.get('/web/item/4711.html');
    await onlySpilled();

    const log = await shop.nginx.errorLog();
    expect(log).toContain('intake.sock');
    expect(log).not.toMatch(/\[(alert|emerg)\]|exception/);
  });
});

describe.each([['bookworm', 'njs'], ...(FULL ? [['trixie', 'njs'] as const] : []), ['sid', 'qjs']] as const)(
  'a client that closes right after its page, on nginx of %s with %s,',
  (suite, engine) => {
    let http2 = 0;
    beforeEach(async () => {
      shop = await startShop({ build: await obtainNginx({ suite, report: () => {} }), engine });
      [http2 = 0] = await freePorts(1);
      const listen = `listen 127.0.0.1:${shop.port};`;
      await shop.edit(listen, `${listen} listen 127.0.0.1:${http2} http2;`);
      await shop.nginx.reload();
    }, START_MS);

    test.each([
      ['HTTP/2, closed in order', closeHttp2],
      ['HTTP/1.1, closed in order', (path: string) => closeHttp1(path, (client) => client.end())],
      ['HTTP/1.1, reset', (path: string) => closeHttp1(path, (client) => client.resetAndDestroy())],
    ])('is counted once while the sidecar hangs: %s', async (_, visit) => {
      shop.sidecar.answer = 'hang';
      await shop.sidecar.start();
      const items = Array.from({ length: 30 }, (_, i) => `${i}`);
      await Promise.all(items.map((item) => visit(`/web/item/${item}.html`)));

      const found = (await spilled(items.length)).map((line) => fieldsOf(line).item);
      expect(found.sort()).toEqual(items.sort());
    });

    test('is counted once if the sidecar has it, and nothing is spilled', async () => {
      await shop.sidecar.start();
      for (let i = 0; i < 10; i++) {
        await closeHttp2(`/web/item/${i}.html`);
        await until(() => shop.sidecar.kept.length === i + 1, { timeoutMs: SOON_MS, what: `view ${i}` });
      }
      await shop.nginx.quit();
      // But those that nginx gave up after 150 ms, which a busy machine brings about.
      const late = (await linesOfErrorLog()).filter((line) => line.includes('upstream timed out'));
      expect((await shop.spilled()).length).toBeLessThanOrEqual(late.length);
    });

    async function closeHttp2(path: string): Promise<void> {
      const session = connectHttp2(`http://127.0.0.1:${http2}`);
      const stream = session.request({ ':path': path });
      stream.resume();
      await once(stream, 'end');
      session.close();
      session.destroy();
    }

    async function closeHttp1(path: string, close: (client: Socket) => void): Promise<void> {
      const client = connect(shop.port, '127.0.0.1');
      client.on('error', () => {});
      client.write(`GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`);
      await once(client, 'data');
      close(client);
    }
  },
);

async function linesOfErrorLog(): Promise<string[]> {
  return (await shop.nginx.errorLog()).split('\n').slice(0, -1);
}

function spilled(count: number): Promise<string[]> {
  return until(
    async () => {
      const lines = await shop.spilled();
      return lines.length >= count ? lines : undefined;
    },
    { timeoutMs: SOON_MS, what: `${count} spilled lines`, detail: shop.nginx.errorLog },
  );
}

/** The body that came to the sidecar first, which may be busy for longer than nginx waits. */
async function firstArrived(): Promise<string | undefined> {
  const { arrived } = shop.sidecar;
  await until(() => arrived.length > 0, { timeoutMs: SOON_MS, what: 'the line at the sidecar' });
  return arrived[0]?.body;
}

async function onlySpilled(): Promise<string> {
  const lines = await spilled(1);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

/** Another program's listener. Rejects where the address cannot be had. */
/** Below 1024, where nobody listens on loopback. */
async function freeLowPort(): Promise<number> {
  for (let port = HIGHEST_LOW_PORT; port > LOWEST_LOW_PORT; port--) {
    const server = await listenAt('0.0.0.0', port).catch(() => undefined);
    if (server === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error('no port below 1024 is free');
}

async function listenAt(host: string, port: number): Promise<Server> {
  const server = createServer();
  await once(server.listen(port, host), 'listening');
  return server;
}
