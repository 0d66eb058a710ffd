import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { type Admin, json, type StreamClient, startAdmin } from '../../../../service/admin/admin.ts';
import type { Actions } from '../../../../service/admin/admin-actions.ts';
import { ADMIN_METRICS } from '../../../../service/admin/admin-metrics.ts';
import { createLog } from '../../../../service/log.ts';
import { createMetrics, type Metrics } from '../../../../service/metrics.ts';
import { until } from '../../../parts/until.ts';

/** More than a listener keeps. */
const CONNECTIONS = 600;
/** More than the buffers of the system have. */
const LARGE = 32 * 1024 * 1024;
const admins: Admin[] = [];
const sockets: Socket[] = [];
let metrics: Metrics<typeof ADMIN_METRICS>;
let asked: AbortSignal[];
let streams: { client: StreamClient; gone: AbortSignal; from: string }[];
beforeEach(() => {
  metrics = createMetrics(new Registry(), ADMIN_METRICS);
  asked = [];
  streams = [];
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(admins.splice(0).map((admin) => admin.close()));
});

describe('the admin listener', () => {
  test.each(['localhost', '127.0.0.1', '127.0.0.1:9180', '[::1]:9180', 'shop.internal'])(
    'answers to the host %s',
    async (host) => {
      expect((await get('/livez', { host })).status).toBe(200);
    },
  );

  test.each(['evil.example', '127.0.0.1.evil.example'])(
    'rejects the host "%s", to which another site may have pointed a name',
    async (host) => {
      expect((await get('/api/v1/test', { host })).status).toBe(403);
    },
  );

  test.each([
    ['[::]', '[::]:9180'],
    ['[::]', '[::1]:9180'],
    ['[::]', '127.0.0.1:9180'],
    ['[::]', '[0:0:0:0:0:0:0:1]:9180'],
    ['0.0.0.0', '0.0.0.0:9180'],
    ['LOCALHOST', 'localhost:9180'],
  ])('that listens on %s answers to the host %s', async (listen, host) => {
    const port = await start(true, 0, listen);
    expect((await get('/livez', { host }, 'GET', port)).status).toBe(200);
  });

  test.each(['[::1]@evil.example', 'evil.example@[::1]', '[::1', ':', '[]', '[::ffff:10.0.0.1]'])(
    'rejects the host "%s", however a URL parser reads it',
    async (host) => {
      expect((await get('/livez', { host })).status).toBe(403);
    },
  );

  test('streams until the client is gone, without buffering in proxies', async () => {
    const port = await start(true);
    const asked = request({ host: '127.0.0.1', port, path: '/api/v1/stream' });
    asked.on('error', () => undefined).end();
    const [response] = await once(asked, 'response');
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
      // As the middleware `compression` of Express, which otherwise sends nothing for long.
      'cache-control': 'no-store, no-transform',
    });
    streams[0]?.client.write(Buffer.from('one'));
    expect(String((await once(response, 'data'))[0])).toBe('one');
    asked.destroy();
    await until(() => streams[0]?.gone.aborted === true, { timeoutMs: 60_000, what: 'the end' });
  });

  test('drops a client that does not read its stream', async () => {
    const port = await start(true);
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.pause();
    socket.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => streams.length === 1, { timeoutMs: 60_000, what: 'the stream' });
    const bytes = Buffer.alloc(64 * 1024, 'x');
    const full = () => streams[0]?.client.write(bytes) === false;
    await until(full, { timeoutMs: 60_000, what: 'the end of patience', everyMs: 1 });
    await until(() => streams[0]?.gone.aborted === true, { timeoutMs: 60_000, what: 'the end' });
    expect((await get('/livez', {}, 'GET', port)).status).toBe(200);
  });

  test('lets a client leave a quarter of a megabyte unread, and no more', async () => {
    const port = await start(true);
    const socket = await open(port, 'GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.pause();
    await until(() => streams.length === 1, { timeoutMs: 60_000, what: 'the stream' });
    const { client } = streams[0] ?? {};
    const bytes = Buffer.alloc(1024, 'x');
    client?.write(bytes);
    // What the kernel took of the first is not in the queue; of those that follow at once it takes nothing yet.
    await new Promise(setImmediate);
    let unread = 0;
    while (client?.write(bytes)) unread += bytes.length;
    expect(unread).toBeGreaterThanOrEqual(256 * 1024);
    // And what chunks of HTTP add to them.
    expect(unread).toBeLessThan(260 * 1024);
  });

  test('ends a stream, after which the same connection asks again', async () => {
    const port = await start(true);
    const question = 'GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const socket = await open(port, question);
    await until(() => streams.length === 1, { timeoutMs: 60_000, what: 'the stream' });
    streams[0]?.client.write(Buffer.from('one'));
    streams[0]?.client.end();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await until(() => text.endsWith('one\r\n0\r\n\r\n'), { timeoutMs: 60_000, what: 'the end' });
    await until(() => streams[0]?.gone.aborted, { timeoutMs: 60_000, what: 'the route to be told' });
    socket.write(question);
    await until(() => streams.length === 2, { timeoutMs: 60_000, what: 'the next stream' });
  });

  test('does not wait for a client that does not read the end of its stream', async () => {
    const port = await start(true, 0, '127.0.0.1', 100);
    const socket = await open(port, 'GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.pause();
    await until(() => streams.length === 1, { timeoutMs: 60_000, what: 'the stream' });
    streams[0]?.client.write(Buffer.alloc(LARGE));
    streams[0]?.client.end();
    await until(() => streams[0]?.gone.aborted, { timeoutMs: 60_000, what: 'the end' });
  });

  test('does not wait for a client that does not read a large answer', async () => {
    const port = await start(true, 0, '127.0.0.1', 100);
    const socket = await open(port, 'GET /api/v1/large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.pause();
    await until(() => asked.length === 1, { timeoutMs: 60_000, what: 'the request' });
    await until(() => asked[0]?.aborted, { timeoutMs: 60_000, what: 'the end' });
  });

  test('sends a large answer completely to a client that reads', async () => {
    expect((await get('/api/v1/large')).body.length).toBe(LARGE);
  });

  test('goes on where a stream cannot begin', async () => {
    const port = await start(true);
    await expect(get('/api/v1/broken-stream', {}, 'GET', port)).rejects.toThrow();
    expect((await get('/livez', {}, 'GET', port)).status).toBe(200);
  });

  test('answers who monitors it while streams have all connections but those in reserve', async () => {
    const port = await start(true, 0, '127.0.0.1', 60_000, ACTIONS);
    for (let i = 0; i < 600; i++) await open(port, 'GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const crowded = () => metrics.of('admin_refused_total', { reason: 'connections' }).value() > 0;
    await until(crowded, { timeoutMs: 60_000, what: 'the limit' });
    expect(streams.length).toBeLessThan(500);
    expect((await get('/livez', {}, 'GET', port)).status).toBe(200);
    expect((await get('/metrics', {}, 'GET', port)).status).toBe(200);
    expect((await get('/api/v1/test', {}, 'GET', port)).status).toBe(503);
    // Control as well: it gets as far as the token.
    const freeze = { 'content-type': 'application/json' };
    expect((await get('/api/v1/freeze', freeze, 'POST', port)).status).toBe(401);
  });

  test.each([
    ['a proxy on this host, which says whose request it is', { 'x-real-ip': '203.0.113.7' }, '203.0.113.7'],
    ['somebody who says nonsense', { 'x-real-ip': 'x' }, '127.0.0.1'],
    ['a program on this host', {}, '127.0.0.1'],
  ])('knows the address of %s', async (_, headers, from) => {
    const port = await start(true);
    const asked = request({ host: '127.0.0.1', port, path: '/api/v1/stream', headers });
    asked.on('error', () => undefined).end();
    await until(() => streams.length === 1, { timeoutMs: 60_000, what: 'the stream' });
    asked.destroy();
    expect(streams[0]?.from).toBe(from);
  });

  test('answers HEAD of a stream with its headers', async () => {
    expect((await get('/api/v1/stream', {}, 'HEAD')).status).toBe(200);
    expect(streams).toEqual([]);
  });

  test('rejects another origin', async () => {
    expect((await get('/api/v1/test', { origin: 'http://evil.example' })).status).toBe(403);
    expect((await get('/api/v1/test', { host: 'localhost:1', origin: 'http://localhost:1' })).status).toBe(
      200,
    );
  });

  const image = { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
  const script = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
  const frame = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
  const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  test.each([
    ['an image', 'cross-site', '/api/v1/test', image],
    ['an image of another port', 'same-site', '/api/v1/test', image],
    ['an image of the page', 'cross-site', '/page', image],
    ['a script', 'same-site', '/metrics', script],
    ['a frame', 'cross-site', '/page', frame],
    ['a link to the API', 'cross-site', '/api/v1/test', link],
    ['a link to the API by another way', 'same-site', '/page/%2e%2e/api/v1/test', link],
    ['a word that no browser knows yet', 'sibling-site', '/api/v1/test', script],
    ['two words', 'same-origin, cross-site', '/api/v1/test', script],
  ])('rejects %s from another site', async (_, site, path, headers) => {
    expect((await get(path, { ...headers, 'sec-fetch-site': site })).status).toBe(403);
    expect(asked).toEqual([]);
    expect(metrics.of('admin_refused_total', { reason: 'site' }).value()).toBe(1);
  });

  test.each([
    ['a link to the page in a mail', 'cross-site', '/page', link],
    ['a link to the metrics in a page of Prometheus on this host', 'same-site', '/metrics', link],
    ['what somebody typed', 'none', '/api/v1/test', link],
    ['our own page', 'same-origin', '/api/v1/test', script],
  ])('answers %s', async (_, site, path, headers) => {
    expect((await get(path, { ...headers, 'sec-fetch-site': site })).status).toBe(200);
  });

  test('answers our own page behind a proxy that changes Host', async () => {
    const headers = { ...script, 'sec-fetch-site': 'same-origin', origin: 'https://ranking.example' };
    expect((await get('/api/v1/test', headers)).status).toBe(200);
  });

  test('answers a program, which sends no origin', async () => {
    expect((await get('/api/v1/test')).status).toBe(200);
  });

  test('aborts a route when its client is gone', async () => {
    const port = await start(true);
    const socket = await open(port, 'GET /api/v1/slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => asked.length === 1, { timeoutMs: 60_000, what: 'the route to be asked' });
    expect(asked[0]?.aborted).toBe(false);
    socket.destroy();
    await until(() => asked[0]?.aborted, { timeoutMs: 60_000, what: 'the route to be told' });
  });

  test('handles one request at a time per connection', async () => {
    const port = await start(true);
    const question = 'GET /api/v1/slow HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const socket = await open(port, question.repeat(2));
    await once(socket, 'close');
    expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test.each([
    ['nothing', ''],
    ['half a request', 'GET /livez HTTP/1.1\r\nHost: loc'],
    ['a request, read by nobody', 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('answers monitoring while connections with %s are held open', async (_, words) => {
    const port = await start(true);
    for (let i = 0; i < CONNECTIONS; i++) await open(port, words);
    expect((await get('/livez', {}, 'GET', port)).status).toBe(200);
    expect((await get('/metrics', {}, 'GET', port)).status).toBe(200);
  });

  test('rejects all changes', async () => {
    expect((await get('/api/v1/test', {}, 'POST')).status).toBe(405);
  });

  test('is ready if every check is, and names those that are not', async () => {
    const port = await start('full; nginx spills');
    expect(await get('/readyz', {}, 'GET', port)).toMatchObject({ status: 503, body: 'not ready\n' });
    expect(await get('/readyz?verbose', {}, 'GET', port)).toMatchObject({
      body: 'spool: full; nginx spills\n',
    });
    expect(metrics.of('ready', { check: 'spool' }).value()).toBe(0);
    expect(await get('/livez', {}, 'GET', port)).toMatchObject({ status: 200 });
  });

  test('shows no stack trace when a route fails', async () => {
    const { status, body } = await get('/api/v1/broken');
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
  });

  test.each(['//evil.example/', '/%00', '/api/v1/test/../nothing', '/?x'])(
    'answers %s without an error',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  test('answers a browser with many cookies, of all that listens on this host', async () => {
    expect((await get('/livez', { cookie: `a=${'x'.repeat(30_000)}` })).status).toBe(200);
  });

  test('allows only itself as a source', async () => {
    const { headers } = await get('/livez');
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  test('reports which setting has an address that is in use', async () => {
    const port = await start(true);
    await expect(start(true, port)).rejects.toThrow('EADDRINUSE');
  });
});

const ACTIONS: Actions = {
  routes: { '/api/v1/freeze': async () => ({ status: 200, value: {} }) },
  token: () => 'x'.repeat(64),
  now: Date.now,
  onNoToken() {},
  onWrongToken() {},
};

async function start(
  state: true | string,
  port = 0,
  host = '127.0.0.1',
  patienceMs = 60_000,
  actions?: Actions,
): Promise<number> {
  const admin = await startAdmin({
    listen: `${host}:${port}`,
    allowedHosts: ['shop.internal'],
    routes: {
      '/page': () => json(200, {}),
      '/api/v1/test': (_, asker) => {
        asked.push(asker);
        return json(200, {});
      },
      '/api/v1/slow': (_, asker) => {
        asked.push(asker);
        return new Promise(() => {});
      },
      '/api/v1/stream': (_url, _asker, from) => ({
        type: 'text/event-stream',
        open(client, gone) {
          streams.push({ client, gone, from });
        },
      }),
      '/api/v1/large': (_, asker) => {
        asked.push(asker);
        return { status: 200, type: 'text/plain', body: Buffer.alloc(LARGE, 'x') };
      },
      '/api/v1/broken-stream': () => ({
        type: 'text/event-stream',
        open() {
          throw new Error('secret');
        },
      }),
      '/api/v1/broken': () => Promise.reject(new Error('secret')),
    },
    actions,
    checks: [{ name: 'spool', ready: () => state }],
    registry: new Registry(),
    metrics,
    log: createLog('error', { write: () => {} }),
    patienceMs,
  });
  admins.push(admin);
  return admin.port;
}

/** A connection over which `words` are sent. Resolves when it is open, and reads nothing. */
async function open(port: number, words: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(words);
  return socket;
}

async function get(path: string, headers: Record<string, string> = {}, method = 'GET', given?: number) {
  const port = given ?? (await start(true));
  return new Promise<{ status?: number; body: string; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path, method, headers }, (reply) => {
        let body = '';
        reply.on('data', (chunk) => {
          body += chunk;
        });
        reply.on('error', reject);
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body, headers: reply.headers }));
      });
      call.on('error', reject);
      call.end();
    },
  );
}
