import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';
import { type PartProcess, startProcess, tailOf } from '../parts/process.ts';
import { askOnce, type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(300_000);
/** Longer than the sidecar waits between two attempts. */
const SOON_MS = 120_000;
const SECRET = randomBytes(32).toString('base64');
const DOCS = readFileSync(join(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');

describe('webhooks, and the receiver of the docs', () => {
  let folder: string;
  let remove: () => void;
  let config: string;
  let received: string;
  let receiver: PartProcess;
  let receiverPort: number;
  let sidecar: Service;

  beforeAll(async () => {
    ({ path: folder, remove } = temporaryFolder('webhooks'));
    const [admin, port = 0] = await freePorts(2);
    receiverPort = port;
    received = join(folder, 'received.log');
    config = join(folder, 'hotitem.yml');
    mkdirSync(join(folder, 'home'));
    writeFileSync(join(folder, 'secret'), `whsec_${SECRET}\n`, { mode: 0o600 });
    const webhook = (name: string, more: object) => ({
      name,
      url: `http://127.0.0.1:${port}/`,
      secret_file: join(folder, 'secret'),
      ...more,
    });
    const webhooks = [webhook('pins', { signals: ['pin'] }), webhook('busy', { signals: ['busy'] })];
    writeFileSync(config, JSON.stringify({ home: join(folder, 'home'), webhooks }));
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(DOCS) ?? [];
    writeFileSync(join(folder, 'receiver.mjs'), code);
    await startReceiver();
    sidecar = await startService({
      args: ['sidecar', '--config', config],
      admin: `127.0.0.1:${admin}`,
      logFile: join(folder, 'sidecar.log'),
      env: { HOTITEM_ADMIN_LISTEN: `127.0.0.1:${admin}`, HOTITEM_NODE: 'web-1' },
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await receiver?.kill();
    remove();
  });

  test('a test message reaches each, and says who does not accept it', async () => {
    const { code, stdout } = await hotitem('webhook', 'test');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^pins: answered 204 in \d+ ms\nbusy: answered 204 in \d+ ms\n$/),
    ]);
    const messages = () => linesOf('hot_item.test').length === 2;
    await until(messages, { timeoutMs: SOON_MS, what: 'both messages', detail });
    expect(await hotitem('webhook', 'test', 'none')).toMatchObject({ code: 1 });
  });

  test('what turns hot and cools is told to who wants it, once, with its reason', async () => {
    await hotitem('hot', 'pin', '<b>4711</b>', '--reason', 'mailing');
    await until(() => linesOf('hot_item.enters').length > 0, { timeoutMs: SOON_MS, what: 'the pin', detail });
    await hotitem('hot', 'clear', '<b>4711</b>');
    await until(() => linesOf('hot_item.leaves').length > 0, { timeoutMs: SOON_MS, what: 'its end', detail });
    expect(linesOf('hot_item.enters')).toEqual([
      {
        item: '<b>4711</b>',
        signal: 'pin',
        reason: 'mailing',
        rule: 'default',
        actions: expect.any(Array),
        since: expect.stringMatching(/^\d{4}-.*Z$/),
        node: 'web-1',
      },
    ]);
    expect(linesOf('hot_item.leaves').length).toBe(1);
  });

  test('a receiver that is gone is named by status and readiness, stops nothing, and gets what waited', async () => {
    await receiver.kill();
    await hotitem('hot', 'pin', 'waits', '--reason', 'mailing');
    const named = async () =>
      (await sidecar.text('/readyz?verbose')).includes('webhook pins: connect ECONNREFUSED');
    await until(named, { timeoutMs: SOON_MS, what: 'readiness to name it', detail });
    expect(await sidecar.text('/readyz')).toBe('ok\n');
    expect(await sidecar.text('/readyz?verbose')).toContain('webhook busy: ok');
    const { stdout } = await hotitem('status');
    expect(stdout).toMatch(/the webhook pins accepts nothing since .*ECONNREFUSED/);
    expect(stdout).toContain('hotitem webhook test pins');
    expect(await hotitem('webhook', 'test', 'pins')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('pins: not delivered: connect ECONNREFUSED'),
    });
    await startReceiver();
    const came = () => linesOf<{ item: string }>('hot_item.enters').some(({ item }) => item === 'waits');
    await until(came, { timeoutMs: SOON_MS, what: 'what waited', detail });
    // It counts once it has the answer, after the receiver has printed the message.
    const delivered = async () => {
      const text = await sidecar.text('/metrics');
      return text.includes('hotitem_webhook_delivered_total{webhook="pins"} 3') ? text : undefined;
    };
    const metrics = await until(delivered, { timeoutMs: SOON_MS, what: 'the third delivery', detail });
    expect(metrics).toMatch(/hotitem_webhook_failures_total\{webhook="pins"\} [1-9]/);
    expect(metrics).toMatch(/hotitem_webhook_waiting\{webhook="pins"\} 0/);
    expect(sidecar.log()).not.toContain(SECRET);
  });

  test('the receiver refuses what is forged, changed or old, and takes a repeated message once', async () => {
    const now = Math.floor(Date.now() / 1000);
    const body = '{"type":"mine","data":1}';
    expect(await send({ id: 'msg_a', time: now, body })).toBe(204);
    expect(await send({ id: 'msg_a', time: now, body })).toBe(204);
    expect(await send({ id: 'msg_b', time: now, body, key: randomBytes(32) })).toBe(401);
    expect(await send({ id: 'msg_b', time: now, body, sent: body.replace('1', '2') })).toBe(401);
    expect(await send({ id: 'msg_b', time: now, body, signature: `v1,${'\u00ff'.repeat(44)}` })).toBe(401);
    expect(await send({ id: 'msg_b', time: now - 400, body })).toBe(401);
    expect(await send({ id: 'msg_b', time: now + 400, body })).toBe(401);
    await until(() => linesOf('mine').length > 0, { timeoutMs: SOON_MS, what: 'the message', detail });
    expect(linesOf('mine')).toEqual([1]);
  });

  test('the receiver goes on where a sender disconnects in the middle of its body', async () => {
    const socket = connect(receiverPort, '127.0.0.1');
    await once(socket, 'connect');
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n';
    socket.write(head);
    // Now the receiver waits for the body.
    await once(socket, 'data');
    socket.write('{');
    socket.destroy();
    const now = Math.floor(Date.now() / 1000);
    expect(await send({ id: 'msg_c', time: now, body: '{"type":"later","data":2}' })).toBe(204);
    await until(() => linesOf('later').length > 0, { timeoutMs: SOON_MS, what: 'the message', detail });
    expect(receiver.running()).toBe(true);
  });

  async function startReceiver(): Promise<void> {
    receiver = startProcess({
      name: 'receiver',
      command: [process.execPath, join(folder, 'receiver.mjs')],
      logFile: received,
      env: { PATH: process.env.PATH, SECRET_FILE: join(folder, 'secret'), PORT: String(receiverPort) },
    });
    const answers = () =>
      askOnce(`http://127.0.0.1:${receiverPort}/`).then(
        () => true,
        () => false,
      );
    await until(answers, { timeoutMs: SOON_MS, what: 'the receiver', detail: () => tailOf(received) });
  }

  async function send(message: {
    id: string;
    time: number;
    body: string;
    sent?: string;
    key?: Buffer;
    signature?: string;
  }): Promise<number> {
    const { id, time, body, sent = body, key = Buffer.from(SECRET, 'base64') } = message;
    const right = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64');
    const { status } = await askOnce(`http://127.0.0.1:${receiverPort}/`, {
      method: 'POST',
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(time),
        'webhook-signature': message.signature ?? `v1,bm90IG91cnM= v1,${right}`,
      },
      body: sent,
    });
    return status;
  }

  /** What the receiver has printed of a type. */
  function linesOf<T = unknown>(type: string): T[] {
    return readFileSync(received, 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith(`${type} `) ? [JSON.parse(line.slice(type.length + 1)) as T] : []));
  }

  function hotitem(...args: string[]) {
    return runHotitem([...args, '--config', config], { HOTITEM_ADMIN_LISTEN: sidecar.admin });
  }

  function detail(): string {
    return `${tailOf(received)}\n${sidecar.log()}`;
  }
});
