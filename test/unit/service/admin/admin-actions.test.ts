import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { type Admin, json, startAdmin } from '../../../../service/admin/admin.ts';
import { MOST_FAILURES } from '../../../../service/admin/admin-actions.ts';
import { ADMIN_METRICS } from '../../../../service/admin/admin-metrics.ts';
import { readControlToken } from '../../../../service/admin/control-token.ts';
import { createLog } from '../../../../service/log.ts';
import { createMetrics, type Metrics } from '../../../../service/metrics.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

const TOKEN = 'Zm9yIGEgdGVzdC4gMzIgcmFuZG9tIGJ5dGVzIG9yIG1vcmU';
const WRONG = 'Zm9yIGEgdGVzdC4gMzIgcmFuZG9tIGJ5dGVzIG9yIG1vcmV';
const PATH = '/api/v1/hot/pin';
const OTHER = '/api/v1/hot/freeze';
const GOOD = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };

let folder: string;
let remove: () => void;
let file: string;
let admin: Admin | undefined;
let metrics: Metrics<typeof ADMIN_METRICS>;
let bodies: unknown[];
let wrong: object[];
let noToken: unknown[];
let time: number;
let waiting: Promise<void>;
let goOn: () => void;
beforeEach(() => {
  ({ path: folder, remove } = temporaryFolder('actions'));
  file = join(folder, 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  metrics = createMetrics(new Registry(), ADMIN_METRICS);
  [bodies, wrong, noToken, time] = [[], [], [], 1_000_000];
  waiting = new Promise((resolve) => {
    goOn = resolve;
  });
});
afterEach(async () => {
  await admin?.close();
  admin = undefined;
  remove();
});

describe('control on the admin listener', () => {
  test('runs an action for a program that has the token, and for our own page', async () => {
    expect(await post({}, { item: '4711' })).toMatchObject({ status: 200, body: { done: true } });
    const page = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', origin: 'http://localhost' };
    expect(await post(page, {})).toMatchObject({ status: 200 });
    expect(bodies).toEqual([{ item: '4711' }, {}]);
  });

  test.each([
    ['without a token', { authorization: undefined }, 401, 'token'],
    ['with a wrong token', { authorization: `Bearer ${WRONG}` }, 401, 'token'],
    ['with a part of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401, 'token'],
    ['with an empty token', { authorization: 'Bearer ' }, 401, 'token'],
    ['with the token as a password', { authorization: `Basic ${btoa(`:${TOKEN}`)}` }, 401, 'token'],
    ['with the token in a cookie', { authorization: undefined, cookie: `token=${TOKEN}` }, 401, 'token'],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'type'],
    ['as a form that looks like JSON', { 'content-type': 'text/plain' }, 415, 'type'],
    ['without a type', { 'content-type': undefined }, 415, 'type'],
    ['by a page elsewhere', { 'sec-fetch-site': 'cross-site' }, 403, 'site'],
    ['by a page on another port', { 'sec-fetch-site': 'same-site' }, 403, 'site'],
    ['by what somebody typed', { 'sec-fetch-site': 'none' }, 403, 'site'],
    ['by another origin', { origin: 'http://evil.example' }, 403, 'origin'],
    ['to another host', { host: 'evil.example' }, 403, 'host'],
  ])('refuses it %s', async (_, headers, status, reason) => {
    expect(await post(headers, { item: '4711' })).toMatchObject({ status });
    expect(metrics.of('admin_refused_total', { reason }).value()).toBe(1);
    expect(bodies).toEqual([]);
  });

  test('refuses a link to it, as what a page loads does', async () => {
    const link = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': 'cross-site',
    };
    expect(await post(link, {})).toMatchObject({ status: 403 });
    expect(await post({}, '', { method: 'GET' })).toMatchObject({ status: 405 });
  });

  test('takes no token from an address, where logs and histories would have it', async () => {
    const path = `${PATH}?access_token=${TOKEN}`;
    expect(await post({ authorization: undefined }, {}, { path })).toMatchObject({ status: 400 });
    expect(await post({}, {}, { path })).toMatchObject({ status: 400 });
    expect(bodies).toEqual([]);
  });

  test('names ten wrong tokens a minute, and no more', async () => {
    const guess = () => post({ authorization: `Bearer ${WRONG}` }, {});
    for (let i = 0; i < MOST_FAILURES; i++) expect(await guess()).toMatchObject({ status: 401 });
    const named = { path: PATH, from: '127.0.0.1', peer: '127.0.0.1' };
    expect(wrong).toEqual(Array.from({ length: MOST_FAILURES }, () => named));
    expect(await guess()).toMatchObject({ status: 429, headers: { 'retry-after': '60' } });
    expect(wrong.length).toBe(MOST_FAILURES);
    time += 60_000;
    expect(await guess()).toMatchObject({ status: 401 });
  });

  test('wrong tokens do not lock out who has the right one', async () => {
    for (let i = 0; i <= MOST_FAILURES; i++) await post({ authorization: `Bearer ${WRONG}` }, {});
    expect(await post({}, {})).toMatchObject({ status: 200 });
  });

  test('names the client behind a proxy, and the proxy', async () => {
    await post({ authorization: `Bearer ${WRONG}`, 'x-real-ip': '203.0.113.7' }, {});
    expect(wrong).toEqual([{ path: PATH, from: '203.0.113.7', peer: '127.0.0.1' }]);
  });

  test('an empty body is an action without fields, as freeze and thaw are', async () => {
    expect(await post({}, '')).toMatchObject({ status: 200 });
    expect(bodies).toEqual([{}]);
  });

  test('a request without a token does not count as a guess', async () => {
    for (let i = 0; i <= MOST_FAILURES; i++) await post({ authorization: undefined }, {});
    expect(await post({}, {})).toMatchObject({ status: 200 });
  });

  test('an address that is not loopback has no control, because the token would cross a network', async () => {
    const listen = '0.0.0.0:0';
    expect(await post({}, {}, {}, listen)).toMatchObject({ status: 403 });
    expect(metrics.of('admin_refused_total', { reason: 'listener' }).value()).toBe(1);
    expect(bodies).toEqual([]);
  });

  test('without actions nothing can be changed', async () => {
    await start('127.0.0.1:0', false);
    expect(await post({}, {})).toMatchObject({ status: 405 });
  });

  test.each([
    ['{', 400],
    [`"${'x'.repeat(20_000)}"`, 413],
  ])('refuses the body %.10s', async (body, status) => {
    expect(await post({}, body)).toMatchObject({ status });
    expect(bodies).toEqual([]);
  });

  test('a new token holds at once, and the old one no more', async () => {
    await post({}, {});
    writeFileSync(file, WRONG);
    expect(await post({}, {})).toMatchObject({ status: 401 });
    expect(await post({ authorization: `Bearer ${WRONG}` }, {})).toMatchObject({ status: 200 });
  });

  test('refuses everything while the token cannot be read', async () => {
    await post({}, {});
    chmodSync(file, 0o640);
    expect(await post({}, {})).toMatchObject({ status: 503 });
    rmSync(file);
    expect(await post({}, {})).toMatchObject({ status: 503 });
    expect(noToken.map(String)).toEqual([
      expect.stringContaining('must have mode 0600'),
      expect.stringContaining('ENOENT'),
    ]);
    expect(bodies.length).toBe(1);
  });

  test('many slow purges do not keep anybody from a freeze', async () => {
    const purges = Array.from({ length: 9 }, () => post({}, { waits: true }));
    const refused = await Promise.race(purges);
    expect(refused).toMatchObject({ status: 503, body: { error: 'too many of these at once, try again' } });
    expect(await post({}, {}, { path: OTHER })).toMatchObject({ status: 200 });
    goOn();
    expect((await Promise.all(purges)).filter(({ status }) => status === 200).length).toBe(8);
    expect(await post({}, {})).toMatchObject({ status: 200 });
  });

  test('a failure shows no stack', async () => {
    const { status, body } = await post({}, { fails: true });
    expect([status, JSON.stringify(body)]).toEqual([500, expect.not.stringContaining('secret')]);
  });
});

describe('the file of the token', () => {
  test.each([
    ['short', 'must hold at least 32 random bytes'],
    ['a'.repeat(64), 'must hold at least 32 random bytes'],
    [`${TOKEN} ${TOKEN}`, 'must hold one token'],
    [`${TOKEN}\n${TOKEN}`, 'must hold one token'],
    ['', 'must hold one token'],
    [TOKEN.repeat(100), 'is too large'],
  ])('is refused that holds %.20s', (text, problem) => {
    writeFileSync(file, text);
    expect(() => readControlToken(file, process.getuid?.() ?? 0)).toThrow(problem);
  });

  test.each([0o644, 0o640, 0o604, 0o660])(
    'is refused with the mode %i, and its content is not shown',
    (mode) => {
      chmodSync(file, mode);
      const read = () => readControlToken(file, process.getuid?.() ?? 0);
      expect(read).toThrow(`must have mode 0600, for its owner only (got 0${mode.toString(8)})`);
      expect(read).not.toThrow(TOKEN);
    },
  );

  test('must not be a folder', () => {
    mkdirSync(join(folder, 'folder'));
    expect(() => readControlToken(join(folder, 'folder'), 0)).toThrow('is not a regular file');
  });
});

async function start(listen: string, withActions = true): Promise<void> {
  admin = await startAdmin({
    listen,
    allowedHosts: [],
    routes: { '/page': () => json(200, {}) },
    actions: withActions
      ? {
          routes: {
            [PATH]: async (body) => {
              if (typeof body === 'object' && body !== null && 'fails' in body) throw new Error('secret');
              if (typeof body === 'object' && body !== null && 'waits' in body) await waiting;
              bodies.push(body);
              return { status: 200, value: { done: true } };
            },
            [OTHER]: async () => ({ status: 200, value: {} }),
          },
          token: () => readControlToken(file, process.getuid?.() ?? 0),
          now: () => time,
          onWrongToken: (refusal) => wrong.push(refusal),
          onNoToken: (error) => noToken.push(error),
        }
      : undefined,
    checks: [],
    registry: new Registry(),
    metrics,
    log: createLog('error', { write: () => {} }),
  });
}

type Answer = { status: number; body: unknown; headers: Record<string, unknown> };

async function post(
  headers: Record<string, string | undefined>,
  body: object | string,
  options: RequestOptions = {},
  listen = '127.0.0.1:0',
): Promise<Answer> {
  if (admin === undefined) await start(listen);
  const given = Object.entries({ host: 'localhost', ...GOOD, ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: admin?.port,
        path: PATH,
        method: 'POST',
        headers: Object.fromEntries(given),
        ...options,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: parsed(text), headers: response.headers }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
