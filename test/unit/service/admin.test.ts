import { request } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { type Admin, json, startAdmin } from '../../../service/admin.ts';
import { createLog } from '../../../service/log.ts';

const admins: Admin[] = [];
afterEach(async () => {
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
    'refuses the host "%s", to which a page elsewhere may have pointed a name',
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
    'refuses the host "%s", whatever a URL would make of it',
    async (host) => {
      expect((await get('/livez', { host })).status).toBe(403);
    },
  );

  test('refuses another origin', async () => {
    expect((await get('/api/v1/test', { origin: 'http://evil.example' })).status).toBe(403);
    expect((await get('/api/v1/test', { host: 'localhost:1', origin: 'http://localhost:1' })).status).toBe(
      200,
    );
  });

  test('refuses to change anything', async () => {
    expect((await get('/api/v1/test', {}, 'POST')).status).toBe(405);
  });

  test('is ready when every check is, and says which is not', async () => {
    const port = await start('full; nginx spills');
    expect(await get('/readyz', {}, 'GET', port)).toMatchObject({ status: 503, body: 'not ready\n' });
    expect(await get('/readyz?verbose', {}, 'GET', port)).toMatchObject({
      body: 'spool: full; nginx spills\n',
    });
    expect(await get('/livez', {}, 'GET', port)).toMatchObject({ status: 200 });
  });

  test('shows no stack when a route fails', async () => {
    const { status, body } = await get('/api/v1/broken');
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
  });

  test.each(['//evil.example/', '/%00', '/api/v1/test/../nothing', '/?x'])(
    'answers %s without a fault',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );

  test('forbids every source but itself', async () => {
    const { headers } = await get('/livez');
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  test('says whose address it is when that is taken', async () => {
    const port = await start(true);
    await expect(start(true, port)).rejects.toThrow('EADDRINUSE');
  });
});

async function start(state: true | string, port = 0, host = '127.0.0.1'): Promise<number> {
  const admin = await startAdmin({
    listen: `${host}:${port}`,
    allowedHosts: ['shop.internal'],
    routes: {
      '/api/v1/test': () => json(200, {}),
      '/api/v1/broken': () => Promise.reject(new Error('secret')),
    },
    checks: [{ name: 'spool', ready: () => state }],
    registry: new Registry(),
    log: createLog('error', { write: () => {} }),
  });
  admins.push(admin);
  return admin.port;
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
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body, headers: reply.headers }));
      });
      call.on('error', reject);
      call.end();
    },
  );
}
