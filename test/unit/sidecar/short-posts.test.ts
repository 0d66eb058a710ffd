import { mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../service/metrics.ts';
import { type Intake, startIntake } from '../../../sidecar/intake.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';
import { until } from '../../parts/until.ts';

const soon = { timeoutMs: 5_000, everyMs: 1 };
const KEPT = 'HTTP/1.1 204 No Content\r\nLocation: /arrived\r\n\r\n';

describe('a post as nginx sends it', () => {
  test('is answered in as few bytes as there can be, and the next one on the same connection', async () => {
    const { client, bodies } = await open();
    client.send(post('one\n'));
    await client.hears(KEPT);
    client.send(post('two\n'));
    await client.hears(KEPT + KEPT);
    expect(bodies).toEqual(['one\n', 'two\n']);
  });

  test('is one and the same wherever the connection cuts it in two', async () => {
    const request = post('a line\n');
    for (let cut = 1; cut < request.length; cut++) {
      const { client, bodies, intake } = await open();
      client.send(request.slice(0, cut));
      await client.sent();
      client.send(request.slice(cut));
      await until(() => client.statuses().length === 1, { ...soon, what: `the answer, cut at ${cut}` });
      expect([client.statuses(), bodies]).toEqual([[204], ['a line\n']]);
      client.end();
      await intake.close();
    }
  });

  test('is answered in order when the next one comes with it', async () => {
    const { client, bodies } = await open();
    client.send(post('one\n') + post('two\n') + post('three\n'));
    await until(() => client.statuses().length === 3, { ...soon, what: 'three answers' });
    expect(bodies).toEqual(['one\n', 'two\n', 'three\n']);
  });

  test('is answered before another that did not wait for it', async () => {
    const { client, bodies, hold, release } = await open();
    hold();
    client.send(post('one\n'));
    await until(() => bodies.length === 1, { ...soon, what: 'the first' });
    client.send(post('two\n'));
    await client.sent();
    client.send(post('three\n'));
    await client.sent();
    expect(client.heard()).toBe('');
    release();
    await until(() => client.statuses().length === 3, { ...soon, what: 'three answers' });
    expect(bodies).toEqual(['one\n', 'two\n', 'three\n']);
  });

  test('of lines that are no events is refused, and the connection stays', async () => {
    const { client } = await open();
    client.send(post('bad\n'));
    await client.hears('HTTP/1.1 400 Bad Request\r\nLocation: /arrived\r\nContent-Length: 0\r\n\r\n');
    client.send(post('good\n'));
    await until(() => client.statuses().length === 2, { ...soon, what: 'the second answer' });
    expect(client.statuses()).toEqual([400, 204]);
  });

  test('that cannot be kept is answered 503', async () => {
    const { client } = await open();
    client.send(post('full\n'));
    await client.hears('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
  });

  test('is answered to a client that has said all it will say', async () => {
    const { client, bodies, hold, release } = await open();
    hold();
    client.send(post('one\n'));
    client.end();
    await until(() => bodies.length === 1, { ...soon, what: 'the post' });
    release();
    await client.closed();
    expect(client.statuses()).toEqual([204]);
  });

  test('in hand is answered when the intake closes, idle connections end', async () => {
    const { client, another, bodies, hold, release, intake } = await open();
    const idle = await another();
    hold();
    client.send(post('one\n'));
    await until(() => bodies.length === 1, { ...soon, what: 'the post' });
    const closed = intake.close();
    await idle.closed();
    release();
    await Promise.all([closed, client.closed()]);
    expect(client.heard()).toBe('HTTP/1.1 204 No Content\r\nLocation: /arrived\r\nConnection: close\r\n\r\n');
  });
});

describe('whatever else comes is judged by the parser of Node', () => {
  const head = 'POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\n';
  test.each<[string, string, number[]]>([
    [
      'header names in lower case',
      'POST /v1/lines HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\na\n',
      [204],
    ],
    ['another header', `${head}X-A: 1\r\nContent-Length: 2\r\n\r\na\n`, [204]],
    ['a body in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n0\r\n\r\n`, [204]],
    ['an expectation', `${head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\na\n`, [100, 204]],
    ['HTTP/1.0', 'POST /v1/lines HTTP/1.0\r\nContent-Length: 2\r\n\r\na\n', [204]],
    ['another path', 'POST /v1/other HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na\n', [404]],
    ['another method', 'GET /v1/lines HTTP/1.1\r\nHost: h\r\n\r\n', [404]],
    ['more than it may take', post('x'.repeat(5000)), [413]],
    ['no host', 'POST /v1/lines HTTP/1.1\r\nContent-Length: 2\r\n\r\na\n', [400]],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\na\n`, [400]],
    ['a length and chunks', `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [400]],
    ['a negative length', `${head}Content-Length: -1\r\n\r\na\n`, [400]],
    ['a length that is none', `${head}Content-Length: 2x\r\n\r\na\n`, [400]],
    ['no line end but a newline', 'POST /v1/lines HTTP/1.1\nHost: h\nContent-Length: 2\n\na\n', [400]],
    ['a space before a colon', `${head}Content-Length : 2\r\n\r\na\n`, [400]],
    ['a NUL in a header', `${head}X-A: \0\r\nContent-Length: 2\r\n\r\na\n`, [400]],
    ['headers without end', `${head}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, [431]],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]],
    ['rubbish behind a post', `${post('a\n')}rubbish\r\n\r\n`, [400]],
  ])('%s', async (_, request, statuses) => {
    const { client } = await open();
    client.send(request);
    await until(() => client.statuses().length === statuses.length, {
      ...soon,
      what: 'the answers',
      detail: client.heard,
    });
    expect(client.statuses()).toEqual(statuses);
  });

  test('and also what follows on the same connection', async () => {
    const { client, bodies } = await open();
    client.send(post('one\n'));
    await client.hears(KEPT);
    client.send(`${head}X-A: 1\r\nContent-Length: 4\r\n\r\ntwo\n`);
    await until(() => client.statuses().length === 2, { ...soon, what: 'the second answer' });
    client.send(post('three\n'));
    await until(() => client.statuses().length === 3, { ...soon, what: 'the third answer' });
    expect(bodies).toEqual(['one\n', 'two\n', 'three\n']);
  });
});

function post(body: string): string {
  return `POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const clients: Socket[] = [];
const intakes: Intake[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(intakes.splice(0).map((intake) => intake.close()));
});

/** An intake that keeps every line but `bad` and `full`, and a connection to it. */
async function open() {
  const path = join(mkdtempSync(join(tmpdir(), 'hotitem-intake-')), 'intake.sock');
  const bodies: string[] = [];
  let release = () => {};
  let held: Promise<void> = Promise.resolve();
  const intake = await startIntake({
    path,
    mode: 0o660,
    maxRequestBytes: 4096,
    maxConnections: 10,
    metrics: createMetrics(new Registry(), SIDECAR_METRICS),
    warn: () => {},
    async takeIn(lines) {
      bodies.push(lines.toString());
      await held;
      if (lines.toString() === 'full\n') throw new Error('full');
      return { lines: 1, bad: lines.toString() === 'bad\n' ? 1 : 0 };
    },
  });
  intakes.push(intake);
  return {
    client: await connectTo(path),
    another: () => connectTo(path),
    bodies,
    intake,
    hold() {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
  };
}

async function connectTo(path: string) {
  let heard = '';
  let ended = false;
  const socket = connect({ path, allowHalfOpen: true });
  clients.push(socket);
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1');
  });
  socket.on('close', () => {
    ended = true;
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    send: (text: string) => void socket.write(text, 'latin1'),
    /** Resolves when the intake has had the time to read what was sent. */
    sent: () =>
      new Promise<void>((resolve) => socket.write('', () => setImmediate(() => setImmediate(resolve)))),
    heard: () => heard,
    statuses: () => [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)),
    hears: (text: string) => until(() => heard === text, { ...soon, what: text, detail: () => heard }),
    end: () => socket.end(),
    closed: () => until(() => ended, { ...soon, what: 'the end of the connection' }),
  };
}
