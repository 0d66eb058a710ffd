import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { temporaryFolder } from '../parts/guard.ts';
import { freePort } from '../parts/ports.ts';
import { startProcess, tailOf } from '../parts/process.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(180_000);
const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');

describe('a service without a terminal', () => {
  const { path: home, remove } = temporaryFolder('signals');
  afterAll(remove);

  test('continues after SIGHUP with a warning, and stops at SIGTERM', async () => {
    const logFile = join(home, 'sidecar.log');
    const says = (message: string) =>
      until(() => tailOf(logFile).includes(message) || !sidecar.running(), {
        timeoutMs: 60_000,
        what: message,
        detail: () => tailOf(logFile),
      });
    const sidecar = startProcess({
      name: 'hotitem sidecar',
      command: [process.execPath, PROGRAM, 'sidecar'],
      cwd: home,
      env: {
        PATH: process.env.PATH,
        HOTITEM_HOME: home,
        HOTITEM_ADMIN_LISTEN: `127.0.0.1:${await freePort()}`,
      },
      logFile,
    });
    await says('sidecar is up');
    process.kill(sidecar.pid, 'SIGHUP');
    await says('SIGHUP is ignored');
    await sidecar.stop();
    const log = readFileSync(logFile, 'utf8');
    expect(log).toMatch(/SIGHUP is ignored.*"signal":"SIGTERM".*"clean":true/s);
    // Where nobody said that this is systemd's journal.
    expect(log).toMatch(/^\{"level"/);
  });
});
