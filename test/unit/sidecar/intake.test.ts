import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../service/metrics.ts';
import { type Intake, startIntake } from '../../../sidecar/intake.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';
import type { Taken } from '../../../sidecar/take-in.ts';

const intakes: Intake[] = [];
afterEach(async () => {
  await Promise.all(intakes.splice(0).map((intake) => intake.close()));
});

describe('intake on the unix socket', () => {
  test.each<[string, () => Promise<Taken>, number]>([
    ['204 once every line is kept', async () => ({ lines: 2, bad: 0 }), 204],
    [
      '204 when one of several is bad, or nginx would send the others again',
      async () => ({ lines: 2, bad: 1 }),
      204,
    ],
    ['400 when none is an event', async () => ({ lines: 1, bad: 1 }), 400],
    ['503 when they could not be kept', () => Promise.reject(new Error('full')), 503],
  ])('answers %s', async (_, takeIn, status) => {
    const { path } = await start(takeIn);
    expect(await post(path, 'a line\n')).toEqual({
      status,
      body: '',
      length: status === 204 ? undefined : '0',
    });
  });

  test('answers 413 to more than it may take, and does not hold it in memory', async () => {
    const { path } = await start();
    expect((await post(path, 'x'.repeat(2000))).status).toBe(413);
  });

  test('answers 404 elsewhere', async () => {
    const { path } = await start();
    expect((await post(path, '', '/v1/other')).status).toBe(404);
  });

  test('is open to its owner and group alone', async () => {
    const { path } = await start();
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test('replaces a socket that a killed process left', async () => {
    const path = socketPath();
    const killed = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', killed]);
    expect(statSync(path).isSocket()).toBe(true);
    await start(undefined, path);
    expect(statSync(path).isSocket()).toBe(true);
  });

  test('refuses a socket that another process listens on', async () => {
    const { path } = await start();
    await expect(start(undefined, path)).rejects.toThrow(`another process listens on it (got ${path})`);
    expect(existsSync(path)).toBe(true);
  });

  test('refuses to remove what is no socket', async () => {
    const path = socketPath();
    writeFileSync(path, 'precious');
    await expect(start(undefined, path)).rejects.toThrow('something else lies there');
  });

  test('refuses a path that the kernel would cut', async () => {
    await expect(start(undefined, `/tmp/${'x'.repeat(120)}`)).rejects.toThrow('longer than the 107 bytes');
  });
});

function socketPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'hotitem-intake-')), 'intake.sock');
}

async function start(takeIn: () => Promise<Taken> = async () => ({ lines: 1, bad: 0 }), path = socketPath()) {
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const warn = () => {};
  const options = { path, mode: 0o660, takeIn, maxRequestBytes: 1000, maxConnections: 10, metrics, warn };
  const intake = await startIntake(options);
  intakes.push(intake);
  return { path };
}

function post(socketPath: string, body: string, path = '/v1/lines') {
  return new Promise<{ status: number | undefined; body: string; length: string | undefined }>(
    (resolve, reject) => {
      const call = request(
        { socketPath, path, method: 'POST', headers: { 'content-length': body.length } },
        (reply) => {
          let text = '';
          reply.on('data', (chunk) => {
            text += chunk;
          });
          reply.on('end', () =>
            resolve({ status: reply.statusCode, body: text, length: reply.headers['content-length'] }),
          );
        },
      );
      call.on('error', reject);
      call.end(body);
    },
  );
}
