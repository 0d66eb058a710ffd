import { createHmac, randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { post } from '../../../webhooks/post.ts';
import { temporaryFolder } from '../../parts/guard.ts';
import { until } from '../../parts/until.ts';

const [KEY, NEXT] = [randomBytes(32), randomBytes(32)];
const MESSAGE = { id: 'msg_1', body: '{"type":"hot_item.test","data":"ü"}', at: 0 };
const NOW = 1_795_746_912_999;

let folder: string;
let remove: () => void;
let secretFile: string;
let server: Server;
let asked: { request: IncomingMessage; body: string }[];
let answer: RequestListener;
let connections: number;
beforeEach(async () => {
  ({ path: folder, remove } = temporaryFolder('post'));
  secretFile = join(folder, 'secret');
  writeSecrets(KEY);
  asked = [];
  connections = 0;
  answer = (_, response) => response.writeHead(204).end();
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    asked.push({ request, body });
    answer(request, response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  remove();
});

describe('a message for a webhook', () => {
  test('is signed over id, time and body, so that any library of the specification can check it', async () => {
    expect(await post(webhook(), MESSAGE, NOW)).toBe(204);
    const [{ request, body } = { request: undefined, body: '' }] = asked;
    const signature = createHmac('sha256', KEY).update(`msg_1.1795746912.${MESSAGE.body}`).digest('base64');
    expect([request?.method, request?.url, body]).toEqual(['POST', '/hook?key=1', MESSAGE.body]);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1795746912',
      'webhook-signature': `v1,${signature}`,
    });
    expect(request?.headers).not.toHaveProperty('authorization');
  });

  test('is signed with both secrets while they are rotated, without a restart', async () => {
    await post(webhook(), MESSAGE, NOW);
    writeSecrets(KEY, NEXT);
    await post(webhook(), MESSAGE, NOW);
    const [first, second] = asked.map(({ request }) =>
      String(request.headers['webhook-signature']).split(' '),
    );
    const of = (key: Buffer) =>
      `v1,${createHmac('sha256', key).update(`msg_1.1795746912.${MESSAGE.body}`).digest('base64')}`;
    expect([first, second]).toEqual([[of(KEY)], [of(KEY), of(NEXT)]]);
  });

  test.each([301, 302, 303, 307, 308])('is not sent to where %i points', async (status) => {
    answer = (_, response) => response.writeHead(status, { location: webhook().url }).end();
    await expect(post(webhook(), MESSAGE, NOW)).rejects.toMatchObject({
      message: `answers ${status}, and redirects are not followed`,
      isForGood: false,
    });
    expect(asked.length).toBe(1);
  });

  test.each([
    [500, false],
    [503, false],
    [401, false],
    [404, false],
    [429, false],
    [400, true],
    [410, true],
    [422, true],
  ])('an answer of %i is final: %p', async (status, isForGood) => {
    answer = (_, response) => response.writeHead(status).end('secret of the receiver');
    await expect(post(webhook(), MESSAGE, NOW)).rejects.toMatchObject({
      message: `answers ${status}`,
      isForGood,
    });
  });

  test('is delivered however long the answer is, of which little is read', async () => {
    let written = 0;
    let isGone = false;
    answer = (_, response) => {
      response.writeHead(200);
      response.once('close', () => {
        isGone = true;
      });
      const write = () => {
        while (!isGone && response.write('x'.repeat(16_384))) written += 16_384;
      };
      response.on('drain', write);
      write();
    };
    expect(await post(webhook(), MESSAGE, NOW)).toBe(200);
    await until(() => isGone, { timeoutMs: 60_000, what: 'the connection to be closed' });
    // Buffers of both ends.
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  test('is delivered when the head of the answer has come, whether its body ends or not', async () => {
    answer = (_, response) => response.writeHead(200).write('never ends');
    expect(await post(webhook(), MESSAGE, NOW)).toBe(200);
  });

  test('leaves nothing on a signal that lives as long as the process', async () => {
    const any = jest.spyOn(AbortSignal, 'any');
    const stopping = new AbortController();
    await post(webhook(), MESSAGE, NOW, stopping.signal);
    const left = () => getEventListeners(stopping.signal, 'abort').length === 0;
    await until(left, { timeoutMs: 60_000, what: 'the end of the connection' });
    expect(any).not.toHaveBeenCalled();
    any.mockRestore();
  });

  test('says why nobody answers', async () => {
    const { port } = server.address() as { port: number };
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(
      post({ name: 'x', url: `http://127.0.0.1:${port}/`, secretFile }, MESSAGE, NOW),
    ).rejects.toThrow('ECONNREFUSED');
  });

  test.each([
    'https://169.254.169.254/latest',
    'https://[fe80::1]/',
    'https://0xa9fea9fe/',
    'https://2852039166/',
    'https://169.254.169.254./',
    'https://[::ffff:169.254.169.254]/',
    'http://0.0.0.0:PORT/',
    'http://10.0.0.1/',
  ])('is not sent to %s', async (url) => {
    const { port } = server.address() as { port: number };
    await expect(
      post({ name: 'x', url: url.replace('PORT', String(port)), secretFile }, MESSAGE, NOW),
    ).rejects.toThrow(/is not allowed|is not this host/);
    expect(connections).toBe(0);
  });

  test('is not sent unsigned', async () => {
    writeFileSync(secretFile, 'x');
    await expect(post(webhook(), MESSAGE, NOW)).rejects.toThrow('its secret_file: must hold whsec_');
    expect(connections).toBe(0);
  });

  test('is given up when the sidecar stops', async () => {
    answer = () => {};
    const stopping = new AbortController();
    const posting = post(webhook(), MESSAGE, NOW, stopping.signal);
    const failed = expect(posting).rejects.toThrow();
    await until(() => asked.length === 1, { timeoutMs: 60_000, what: 'the request' });
    stopping.abort();
    await failed;
  });
});

function webhook() {
  const { port } = server.address() as { port: number };
  return { name: 'test', url: `http://localhost:${port}/hook?key=1`, secretFile };
}

function writeSecrets(...keys: Buffer[]): void {
  writeFileSync(secretFile, keys.map((key) => `whsec_${key.toString('base64')}\n`).join(''), { mode: 0o600 });
}
