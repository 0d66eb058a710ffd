import { mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../../service/metrics.ts';
import { type Intake, startIntake } from '../../../../sidecar/ingest/intake.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import { temporaryFolder } from '../../../parts/guard.ts';
import { until } from '../../../parts/until.ts';

const soon = { timeoutMs: 60_000, everyMs: 1 };
/** Of the kernel and of Node together. */
const MORE_ANSWERS_THAN_WAIT = 10_000;
/** More than the kernel takes at once. */
const LONG = 4_000_000;
const KEPT = 'HTTP/1.1 204 No Content\r\nLocation: /arrived\r\n\r\n';

describe('a post as nginx sends it', () => {
  test('is answered in as few bytes as possible, and so is the next one on the same connection', async () => {
    const { client, bodies } = await open();
    client.send(post('one\n'));
    await client.hears(KEPT);
    client.send(post('two\n'));
    await client.hears(KEPT + KEPT);
    expect(bodies).toEqual(['one\n', 'two\n']);
  });

  test('is parsed the same wherever the connection splits it', async () => {
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

  test('is answered, and its body is not read: the connection is closed', async () => {
    const { client, bodies } = await open();
    client.send(post('one\n') + post('two\n') + post('three\n'));
    await client.closed();
    expect([client.statuses(), bodies]).toEqual([[204], ['one\n']]);
  });

  test('is answered, and data sent before the answer is not read: the connection is closed', async () => {
    const { client, bodies, hold, release } = await open();
    hold();
    client.send(post('one\n'));
    await until(() => bodies.length === 1, { ...soon, what: 'the first' });
    client.send(post('two\n'));
    await client.sent();
    expect(client.heard()).toBe('');
    release();
    await client.closed();
    expect([client.statuses(), bodies]).toEqual([[204], ['one\n']]);
  });

  test('is not answered without end to a client that does not read: the connection is closed', async () => {
    const { client, bodies } = await open();
    client.pause();
    for (let sent = 1; sent <= MORE_ANSWERS_THAN_WAIT && !client.isClosed(); sent++) {
      client.send(post('one\n'));
      await until(() => bodies.length === sent || client.isClosed(), { ...soon, what: 'the next post' });
    }
    expect(client.isClosed()).toBe(true);
    // Some hundred answers one by one.
  }, 60_000);

  test('with lines that are not events is rejected, and the connection stays open', async () => {
    const { client } = await open();
    client.send(post('bad\n'));
    await client.hears('HTTP/1.1 400 Bad Request\r\nLocation: /arrived\r\nContent-Length: 0\r\n\r\n');
    client.send(post('good\n'));
    await until(() => client.statuses().length === 2, { ...soon, what: 'the second answer' });
    expect(client.statuses()).toEqual([400, 204]);
  });

  test('that cannot be stored is answered 503', async () => {
    const { client } = await open();
    client.send(post('full\n'));
    await client.hears('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
  });

  test('is answered to a client that has closed its side', async () => {
    const { client, bodies, hold, release } = await open();
    hold();
    client.send(post('one\n'));
    client.end();
    await until(() => bodies.length === 1, { ...soon, what: 'the post' });
    release();
    await client.closed();
    expect(client.statuses()).toEqual([204]);
  });

  test('in progress is answered when the intake closes; idle connections are closed', async () => {
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

describe('a request that does not arrive completely', () => {
  test('gets 503 after the timeout, and the connection is closed, even if it keeps sending', async () => {
    const { client, bodies, refused } = await open({ longestRequestMs: 200 });
    client.send('POST /v1/lines HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\n\r\n');
    const sending = setInterval(() => client.send('x'), 20);
    await client.closed().finally(() => clearInterval(sending));
    expect([client.statuses(), bodies]).toEqual([[503], []]);
    expect(refused('slow')).toBe(1);
  });

  test('is aborted when too much is in progress, the slowest first', async () => {
    const { client, another, bodies, refused } = await open();
    const others = await Promise.all(Array.from({ length: 3 }, another));
    const all = [client, ...others];
    // Two of the largest are in hand at most.
    for (const one of all) {
      one.send(`${head}X-A: 1\r\nContent-Length: 4000\r\n\r\n${'x'.repeat(3_999)}`);
      await one.sent();
    }
    await until(() => refused('busy') === 2, { ...soon, what: 'two that give way' });
    expect(all.map((one) => one.statuses())).toEqual([[503], [503], [], []]);
    for (const one of all.slice(2)) one.send('\n');
    await until(() => bodies.length === 2, { ...soon, what: 'the others' });
    await until(() => all.every((one) => one.statuses().length === 1), { ...soon, what: 'the answers' });
    expect(all.map((one) => one.statuses())).toEqual([[503], [503], [204], [204]]);
  });

  test('holds no memory after its client has gone', async () => {
    const { another, bodies } = await open();
    for (let i = 0; i < 20; i++) {
      const one = await another();
      one.send(`${head}X-A: 1\r\nContent-Length: 4000\r\n\r\n${'x'.repeat(3_999)}`);
      await one.sent();
      one.destroy();
      await one.closed();
    }
    const last = await another();
    last.send(post(`${'y'.repeat(3_999)}\n`));
    await until(() => bodies.length === 1, { ...soon, what: 'the last' });
  });

  test('is rejected if everything in progress waits for the disk', async () => {
    const { client, another, bodies, hold, release, refused } = await open();
    hold();
    const others = [await another(), await another()];
    for (const one of others) one.send(post(`${'x'.repeat(4_000)}\n`));
    await until(() => bodies.length === 2, { ...soon, what: 'two posts' });
    client.send(post('one\n'.repeat(200)));
    await client.hears('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
    expect(refused('busy')).toBe(1);
    release();
    await until(() => others.every((one) => one.statuses().length === 1), { ...soon, what: 'the others' });
    client.send(post('two\n'));
    await until(() => client.statuses().length === 2, { ...soon, what: 'the second answer' });
    expect(client.statuses()).toEqual([503, 204]);
  });
});

describe('requests of many connections at the same moment', () => {
  test('are handled in several turns of the event loop, so that others get theirs: posts', async () => {
    const { several, turns } = await open({ longestSliceMs: 0 });
    const all = await several(MANY);
    // Connections are taken one a turn: all are by then.
    for (const one of all) one.send(post('first\n'));
    await answered(all, 1);
    turns.length = 0;
    const counting = countTurns();
    for (const one of all) one.send(post('second\n'));
    await answered(all, 2);
    counting.stop();
    expect(new Set(turns).size).toBe(MANY);
  });

  test('… answers that were waited for', async () => {
    const { several, asked, hold, release } = await open({ longestSliceMs: 0 });
    const all = await several(MANY);
    hold();
    for (const one of all) one.send(POLL);
    await until(() => asked() === MANY, { ...soon, what: 'all to wait' });
    const answers: number[] = [];
    const counting = countTurns(() => answers.push(all.filter((one) => one.statuses().length > 0).length));
    release();
    await answered(all, 1);
    counting.stop();
    expect(mostAtOnce(answers)).toBeLessThanOrEqual(A_TURN);
  });

  test('… requests that are too slow', async () => {
    const { several, refused } = await open({ longestSliceMs: 0, longestRequestMs: 200 });
    const all = await several(MANY);
    for (const one of all) one.send(`${head}X-A: `);
    const slow: number[] = [];
    const counting = countTurns(() => slow.push(refused('slow')));
    await answered(all, 1);
    counting.stop();
    expect(mostAtOnce(slow)).toBeLessThanOrEqual(A_TURN);
  });

  function answered(all: { statuses(): number[] }[], times: number): Promise<boolean> {
    const isDone = () => all.every((one) => one.statuses().length === times);
    return until(isDone, { ...soon, what: 'the answers' });
  }

  /** By how much a count that is taken each turn grows at most. */
  function mostAtOnce(counts: number[]): number {
    return Math.max(...counts.map((count, i) => count - (counts[i - 1] ?? 0)));
  }
});

const MANY = 8;
/** The first at once, and the second at the end of the same turn. */
const A_TURN = 2;
const POLL = 'GET /v1/poll HTTP/1.1\r\nHost: hotitem\r\n\r\n';
const head = 'POST /v1/lines HTTP/1.1\r\nHost: hotitem\r\n';

describe('any other request', () => {
  test.each<[string, string, number[]]>([
    [
      'header names in lower case',
      'POST /v1/lines HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\na\n',
      [204],
    ],
    ['another header', `${head}X-A: 1\r\nContent-Length: 2\r\n\r\na\n`, [204]],
    ['a body in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n0\r\n\r\n`, [411]],
    ['an expectation', `${head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\na\n`, [417]],
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
    ['rubbish behind a post', `${post('a\n')}rubbish\r\n\r\n`, [204]],
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

  test('is answered completely, however long the answer is, and the connection stays open', async () => {
    const { client } = await open();
    client.send('GET /v1/long HTTP/1.1\r\nHost: h\r\n\r\n');
    await until(() => client.heard().endsWith('x"\n'), { ...soon, what: 'the whole answer' });
    expect(client.heard().length).toBeGreaterThan(LONG);
    client.send(post('one\n'));
    await until(() => client.statuses().length === 2, { ...soon, what: 'the second answer' });
    expect(client.statuses()).toEqual([200, 204]);
  });

  test('is answered completely to a client that sends another request before reading; that one is the last', async () => {
    const { client } = await open();
    client.pause();
    client.send('GET /v1/long HTTP/1.1\r\nHost: h\r\n\r\n');
    await client.sent();
    client.send(post('one\n'));
    await client.sent();
    client.end();
    client.resume();
    await client.closed();
    expect(client.heard().endsWith('x"\n')).toBe(true);
    expect(client.statuses()).toEqual([200]);
  });

  test('keeps the connection open if it is valid', async () => {
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

const folder = temporaryFolder('intake');
afterAll(folder.remove);
const clients: Socket[] = [];
const intakes: Intake[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(intakes.splice(0).map((intake) => intake.close()));
});

let turn = 0;

/** Counts the turns of the event loop, and calls `each` in them. */
function countTurns(each: () => void = () => {}): { stop(): void } {
  let next = setImmediate(one);
  return { stop: () => clearImmediate(next) };

  function one(): void {
    turn++;
    each();
    next = setImmediate(one);
  }
}

type Limits = { longestRequestMs?: number; longestSliceMs?: number };

/** An intake that keeps every line but `bad` and `full`, and a connection to it. */
async function open(limits: Limits = {}) {
  const turns: number[] = [];
  const path = join(mkdtempSync(join(folder.path, 'socket-')), 'intake.sock');
  const bodies: string[] = [];
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  let release = () => {};
  let asked = 0;
  let held: Promise<void> = Promise.resolve();
  const intake = await startIntake({
    path,
    mode: 0o660,
    maxRequestBytes: 4096,
    maxConnections: 10,
    ...limits,
    routes: {
      '/v1/poll': async () => {
        asked++;
        await held;
        return { status: 204 };
      },
      '/v1/long': async () => ({ status: 200, value: 'x'.repeat(LONG) }),
    },
    metrics,
    warn: () => {},
    async takeIn(lines) {
      bodies.push(lines.toString());
      turns.push(turn);
      await held;
      if (lines.toString() === 'full\n') throw new Error('full');
      return { lines: 1, bad: lines.toString() === 'bad\n' ? 1 : 0 };
    },
  });
  intakes.push(intake);
  return {
    client: await connectTo(path),
    another: () => connectTo(path),
    several: (count: number) => Promise.all(Array.from({ length: count }, () => connectTo(path))),
    asked: () => asked,
    refused: (reason: string) => metrics.of('intake_rejected_total', { reason }).value(),
    bodies,
    turns,
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
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    isClosed: () => ended,
    closed: () => until(() => ended, { ...soon, what: 'the end of the connection' }),
  };
}
