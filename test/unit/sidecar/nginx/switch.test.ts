import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import * as z from 'zod';
import { createMetrics } from '../../../../service/metrics.ts';
import { type Intake, startIntake } from '../../../../sidecar/ingest/intake.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import { createNginxAccounting, type NginxAccounting } from '../../../../sidecar/nginx/nginx-accounting.ts';
import { createPollRoute } from '../../../../sidecar/nginx/poll-route.ts';
import { createControl } from '../../../../sidecar/nginx/switch.ts';
import { createControlRoute } from '../../../../sidecar/nginx/switch-route.ts';
import { type ControlSocket, startControlSocket } from '../../../../sidecar/socket/control-socket.ts';
import { until } from '../../../parts/until.ts';

let folder: string;
let file: string;
let intake: Intake | undefined;
let owner: ControlSocket | undefined;
let accounting: NginxAccounting;
let warnings: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-control-'));
  file = join(folder, 'capture.json');
  warnings = [];
});
afterEach(async () => {
  await Promise.all([intake?.close(), owner?.close()]);
  intake = undefined;
  owner = undefined;
  rmSync(folder, { recursive: true });
});

describe('the state of capture', () => {
  test('is nothing at first', () => {
    expect(createControl(file, warn).state()).toEqual({ version: 0, mode: 'default' });
  });

  test('is stored, with an increasing version', async () => {
    const control = createControl(file, warn);
    await control.set({ mode: 'sample', n: 4 });
    await control.set({ mode: 'off' });

    expect(createControl(file, warn).state()).toEqual({ version: 2, mode: 'off' });
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(dirname(file))).toEqual([basename(file)]);
  });

  test.each([
    '',
    '{',
    '[]',
    'null',
    '{"version":1,"mode":"half"}',
    '{"version":-1.5,"mode":"on"}',
    '{"mode":"on"}',
  ])('is nothing if the file contains %j', (text) => {
    writeFileSync(file, text);

    expect(createControl(file, warn).state()).toEqual({ version: 0, mode: 'default' });
    expect(warnings).toEqual([[expect.stringContaining('cannot be read'), { path: file }]]);
  });
});

const report = 'started=1&waiting=2&flushed=3&handed=4&diverted=5&spilled=5&dropped=0&fulls=0&spill_barred=0';

describe('/v1/control', () => {
  test('answers at once if the client does not wait', async () => {
    await start();

    expect(await ask('GET', '/v1/control')).toEqual({
      status: 200,
      body: { version: 0, mode: 'default', lease_ms: 10_000 },
    });
  });

  test('answers at once if the client has an older version', async () => {
    await start();
    await ask('POST', '/v1/control', { mode: 'sample', n: 4 });

    expect(await ask('GET', '/v1/control?version=0&wait=30000')).toEqual({
      status: 200,
      body: { version: 1, mode: 'sample', n: 4, lease_ms: 10_000 },
    });
  });

  test('answers waiting clients as soon as it changes', async () => {
    await start();
    const waiting = ask('GET', '/v1/control?version=0&wait=30000');
    await ask('POST', '/v1/control', { mode: 'off' });

    expect(await waiting).toMatchObject({ status: 200, body: { version: 1, mode: 'off' } });
  });

  test('answers 204 if nothing has changed in that time', async () => {
    await start();

    expect(await ask('GET', '/v1/control?version=0&wait=1')).toEqual({ status: 204, body: undefined });
  });

  test.each([
    {},
    null,
    'on',
    { mode: 'sample' },
    { mode: 'sample', n: 1 },
    { mode: 'sample', n: 2.5 },
    { mode: 'sample', n: 10_001 },
    { mode: 'sample', n: '4' },
    { mode: 'on', filler: 'x'.repeat(5_000) },
  ])('rejects %j', async (body) => {
    await start();

    expect((await ask('POST', '/v1/control', body)).status).toBe(400);
    expect(existsSync(file)).toBe(false);
  });

  test('answers 500 if the mode cannot be stored, and keeps the old one', async () => {
    await start(join(folder, 'missing/capture.json'));

    expect((await ask('POST', '/v1/control', { mode: 'off' })).status).toBe(500);
    expect((await ask('GET', '/v1/control')).body).toMatchObject({ mode: 'default' });
  });

  test('two POSTs at once do not corrupt capture.json, and each gets its own version', async () => {
    await start();
    for (let round = 1; round <= 50; round++) {
      const said = await Promise.all([
        ask('POST', '/v1/control', { mode: 'sample', n: 10_000 }),
        ask('POST', '/v1/control', { mode: 'on' }),
      ]);
      expect(said.map(({ status }) => status)).toEqual([200, 200]);
      expect(new Set(said.map(({ body }) => versionOf(body))).size).toBe(2);

      const { lease_ms: _, ...told } = z.looseObject({}).parse((await ask('GET', '/v1/control')).body);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(told);
      expect(told).toMatchObject({ version: 2 * round });
    }
  });

  test.each(['PUT', 'DELETE'])('does not know %s', async (method) => {
    await start();

    expect((await ask(method, '/v1/control')).status).toBe(405);
  });

  test('passes the report of nginx to the accounting', async () => {
    await start();
    await ask('GET', `/v1/control?version=0&wait=0&${report}`);

    expect(accounting.accounts()).toMatchObject({
      captured: 14,
      buffered: 2,
      spilled: 5,
      diverted: 5,
      dropped: 0,
    });
  });

  test.each(['waiting', 'flushed', 'handed', 'diverted', 'spilled', 'dropped', 'fulls', 'spill_barred'])(
    'a report of an older nginx, without the field %s, is not dropped: the field is 0',
    async (field) => {
      await start();
      await ask('GET', `/v1/control?version=0&wait=0&${report.replace(new RegExp(`&${field}=\\d+`), '')}`);

      expect(accounting.accounts()?.reportedAt).toBe(0);
      expect(warnings).toEqual([]);
    },
  );

  test('a report with a field that is not a count is ignored, and the log names field and value', async () => {
    await start();
    await ask('GET', `/v1/control?version=0&wait=0&${report.replace('flushed=3', 'flushed=-3')}`);

    expect(accounting.accounts()).toBeUndefined();
    expect(warnings).toEqual([[expect.any(String), { reason: 'flushed: must be a count (got "-3")' }]]);
  });

  test('a poll without a report is valid', async () => {
    await start();
    await ask('GET', '/v1/control?version=0&wait=0');

    expect(accounting.accounts()).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('does not prevent the intake from closing', async () => {
    await start();
    const waiting = ask('GET', `/v1/control?version=0&wait=500&${report}`);
    await until(() => accounting.accounts(), { timeoutMs: 60_000, what: 'the poll' });
    await intake?.close();

    expect((await waiting).status).toBe(204);
  });
});

test('the file is written atomically', async () => {
  await createControl(file, warn).set({ mode: 'on' });

  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, mode: 'on' });
});

async function start(path = file): Promise<void> {
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const control = createControl(path, warn);
  accounting = createNginxAccounting({
    metrics,
    now: () => 0,
    file: { load: () => undefined, store() {} },
    sequence: () => 0,
  });
  intake = await startIntake({
    path: join(folder, 'intake.sock'),
    mode: 0o660,
    maxRequestBytes: 1000,
    maxConnections: 10,
    takeIn: async () => ({ lines: 1, bad: 0 }),
    routes: { '/v1/control': createPollRoute({ control, accounting, warn }) },
    metrics,
    warn,
  });
  owner = await startControlSocket({
    path: join(folder, 'control.sock'),
    routes: { '/v1/control': createControlRoute(control) },
    warn,
  });
}

function versionOf(body: unknown): number {
  return z.object({ version: z.number() }).parse(body).version;
}

function warn(_: string, message: string, fields?: object): void {
  warnings.push([message, fields]);
}

/** As nginx asks with GET, and as the owner does with anything else. */
function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const socketPath = join(folder, method === 'GET' ? 'intake.sock' : 'control.sock');
    const asked = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
      );
    });
    asked.once('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
