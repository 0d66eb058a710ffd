import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Ran } from '../../service/run.ts';
import { type FakeClock, obtainClock } from '../faults/fake-clock.ts';
import { canMakeDisk, makeDisk, type SmallDisk } from '../faults/small-disk.ts';
import { FULL } from '../parts/full.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { commandOf } from './doctor-report.ts';
import { lineAt, tryPost } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
const WAIT_MS = 60_000;
const DISK_MB = 64;
const TWO_HOURS_S = 7_200;

// What needs no nginx is in doctor.test.ts; what needs no clock, disk or stranger of its own in status.test.ts.
const suite = FULL ? suiteWith(['nginx']) : describe.skip;

suite('hotitem doctor, beside an nginx with a clock of its own and a sidecar on a small disk', () => {
  let clock: FakeClock;
  let disk: SmallDisk | undefined;
  let build: NginxBuild;
  let chain: Chain;
  let env: Record<string, string>;

  beforeAll(async () => {
    clock = await obtainClock();
    disk = canMakeDisk() ? await makeDisk(DISK_MB) : undefined;
    build = clock.build(await obtainNginx({ suite: 'trixie', report }));
    const spool: Record<string, string> = disk ? { HOTITEM_SPOOL_DIR: join(disk.path, 'spool') } : {};
    chain = await startChain({ build, transport: 'batch', env: spool });
    await clock.reachWorkers(chain.nginx, conf());
    env = { HOTITEM_HOME: chain.home, HOTITEM_ADMIN_LISTEN: chain.sidecar.admin, ...spool };
  });
  afterAll(async () => {
    await chain?.close();
    await disk?.close();
    clock?.remove();
  });

  test("names a drift of nginx's clock", async () => {
    clock.step(TWO_HOURS_S);
    const { code, stdout } = await doctor();
    clock.step(0);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /clocks differ: nginx's time of a view is 7\d{3} s ahead of this host {2}\[clock\]/,
    );
    expect(commandOf(stdout, 'clock')).toBe('timedatectl set-ntp true');
    await isMended('clock');
  });

  test('names the full disk of a running sidecar', async () => {
    if (disk === undefined) return report('doctor: no disk can be mounted here');
    await disk.fill();
    // It notices when it writes.
    await tryPost(join(chain.home, 'run/intake.sock'), [lineAt(Date.now())]).catch(() => {});
    const { code, stdout } = await doctor();
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/ {2}\[disk-full\]$/m);
    expect(commandOf(stdout, 'disk-full')).toMatch(/^du /);
    await disk.free();
    await isMended('sidecar-not-ready');
    expect((await doctor()).stdout).not.toMatch(/^verdict .*does NOT deliver/m);
  });

  test("names the program on the breaker's port while nginx is stopped, and how nginx starts nevertheless", async () => {
    await chain.nginx.quit();
    const breaker = Number(/server 127\.0\.0\.1:(\d+) backup/.exec(readFileSync(include(), 'utf8'))?.[1]);
    const stranger = createServer((socket) => socket.end('not ours'));
    await new Promise<void>((resolve) => stranger.listen(breaker, '127.0.0.1', resolve));
    try {
      await expect(chain.nginx.start()).rejects.toThrow(`bind() to 127.0.0.1:${breaker} failed`);
      const { code, stdout } = await doctor(['--no-view']);
      expect(code).not.toBe(0);
      expect(stdout).toMatch(
        new RegExp(
          `the breaker's address 127\\.0\\.0\\.1:${breaker}: .*, process ${process.pid}  \\[breaker-taken\\]`,
        ),
      );
      const [, another] =
        /^hotitem (nginx install --dir \S+ --breaker \S+) && /.exec(commandOf(stdout, 'breaker-taken')) ?? [];
      expect((await runHotitem((another ?? '').split(' '), env)).code).toBe(0);
      await chain.nginx.start();
      expect((await doctor(['--no-view'])).stdout).not.toContain('[breaker-taken]');
    } finally {
      stranger.close();
    }
  });

  function conf(): string {
    return join(chain.home, 'nginx/nginx.conf');
  }

  function include(): string {
    return join(chain.home, 'nginx/hotitem/http.conf');
  }

  function doctor(more: string[] = []): Promise<Ran> {
    const program = join(chain.home, 'nginx-program');
    writeFileSync(program, `#!/bin/sh\nexec ${build.command.join(' ')} "$@"\n`, { mode: 0o755 });
    return runHotitem(['doctor', program, '--nginx-conf', conf(), ...more], env);
  }

  async function isMended(id: string): Promise<void> {
    let last = '';
    const gone = async () => {
      last = (await doctor(['--no-view'])).stdout;
      return last.startsWith('checked as') && !last.includes(`[${id}]`);
    };
    await until(gone, { timeoutMs: WAIT_MS, what: `no ${id} any more`, detail: () => last });
  }
});
