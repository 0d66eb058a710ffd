import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../../service/metrics.ts';
import { type Intake, startIntake } from '../../../../sidecar/ingest/intake.ts';
import type { Taken } from '../../../../sidecar/ingest/take-in.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import { temporaryFolder } from '../../../parts/guard.ts';
import { until } from '../../../parts/until.ts';

const folder = temporaryFolder('intake');
afterAll(folder.remove);
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

  test('answers 413 to a body that is too large, and does not hold it in memory', async () => {
    const { path } = await start();
    expect((await post(path, 'x'.repeat(2000))).status).toBe(413);
  });

  test('answers 404 elsewhere', async () => {
    const { path } = await start();
    expect((await post(path, '', '/v1/other')).status).toBe(404);
  });

  test('is accessible to its owner and group only', async () => {
    const { path } = await start();
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test('replaces the socket of a killed process', async () => {
    const path = socketPath();
    leaveStale(path);
    expect(statSync(path).isSocket()).toBe(true);
    await start(undefined, path);
    expect(statSync(path).isSocket()).toBe(true);
  });

  test('rejects a socket that another process listens on', async () => {
    const { path } = await start();
    await expect(start(undefined, path)).rejects.toThrow(`another process listens on it (got ${path})`);
    expect(existsSync(path)).toBe(true);
  });

  test('does not remove a file that is not a socket', async () => {
    const path = socketPath();
    writeFileSync(path, 'precious');
    await expect(start(undefined, path)).rejects.toThrow('something else exists there');
  });

  test('rejects a path that the kernel would truncate', async () => {
    await expect(start(undefined, `/tmp/${'x'.repeat(120)}`)).rejects.toThrow('longer than 107 bytes');
  });
});

describe('the socket file removed under a running sidecar', () => {
  test.each<[string, (path: string) => void]>([
    ['it alone', (path) => rmSync(path)],
    ['with its folder', (path) => rmSync(dirname(path), { recursive: true })],
    ['for one that a killed process left', leaveStale],
  ])('is created again, with its permissions: %s', async (_, remove) => {
    const { path, intake, warnings } = await start();
    remove(path);
    await until(async () => (await post(path, 'a line\n').catch(() => undefined))?.status === 204, WAIT);

    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(intake.failure()).toBeUndefined();
    expect(warnings).toEqual(['intake.socket removed']);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  });

  test('is noticed each time', async () => {
    const { path } = await start();
    for (let i = 0; i < 2; i++) {
      rmSync(path);
      await until(() => existsSync(path), WAIT);
      expect((await post(path, 'a line\n')).status).toBe(204);
    }
  });

  test('is left to another process that has it, and is taken back when that one exits', async () => {
    const { path, intake, warnings } = await start();
    rmSync(path);
    const other = createServer((_, response) => response.writeHead(418).end());
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await until(() => intake.failure() !== undefined, WAIT);
    expect(intake.failure()).toBe(`intake.socket: another process listens on it (got ${path})`);
    expect((await post(path, 'a line\n')).status).toBe(418);
    expect(warnings).toContain('intake.socket');

    await new Promise((resolve) => other.close(resolve));
    await until(() => intake.failure() === undefined, WAIT);
    expect((await post(path, 'a line\n')).status).toBe(204);
  });

  test('is not removed by a stopping sidecar if another process has it', async () => {
    const { path, intake } = await start();
    rmSync(path);
    const other = createServer((_, response) => response.writeHead(418).end());
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await intake.close();

    expect((await post(path, 'a line\n')).status).toBe(418);
    await new Promise((resolve) => other.close(resolve));
  });

  test('loses no request in progress', async () => {
    let kept = () => {};
    const { path } = await start(
      () =>
        new Promise((resolve) => {
          kept = () => resolve({ lines: 1, bad: 0 });
        }),
    );
    const answer = post(path, 'a line\n');
    await sleepUntilAsked();
    rmSync(path);
    await until(() => existsSync(path), WAIT);
    kept();

    expect((await answer).status).toBe(204);

    function sleepUntilAsked(): Promise<boolean> {
      const before = kept;
      return until(() => kept !== before, WAIT);
    }
  });

  test('is removed by a stopping sidecar if it is its own', async () => {
    const { path, intake } = await start();
    await intake.close();

    expect(readdirSync(dirname(path))).toEqual([]);
  });
});

const WAIT = { timeoutMs: 60_000, what: 'the intake' };

function leaveStale(path: string): void {
  const killed = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  rmSync(path, { force: true });
  spawnSync(process.execPath, ['-e', killed]);
}

function socketPath(): string {
  return join(mkdtempSync(join(folder.path, 'socket-')), 'intake.sock');
}

async function start(takeIn: () => Promise<Taken> = async () => ({ lines: 1, bad: 0 }), path = socketPath()) {
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const warnings: string[] = [];
  const warn = (key: string) => void warnings.push(key);
  const options = { path, mode: 0o660, takeIn, maxRequestBytes: 1000, maxConnections: 10, metrics, warn };
  const intake = await startIntake(options);
  intakes.push(intake);
  return { path, intake, warnings };
}

function post(socketPath: string, body: string, path = '/v1/lines') {
  return new Promise<{ status: number | undefined; body: string; length: string | undefined }>(
    (resolve, reject) => {
      const call = request(
        { socketPath, path, method: 'POST', headers: { 'content-length': body.length }, agent: false },
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
