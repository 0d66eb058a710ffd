import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { askControl } from '../../cli/ask-control.ts';
import { testAsRoot } from '../parts/as-root.ts';
import { ANOTHER_USER, asUser, attack } from '../parts/attacker.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { lineAt, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
/** Whatever the umask. */
const SET: Record<string, number> = {
  '': 0o755,
  duckdb: 0o750,
  // The workers look into it.
  'run/hot': 0o750,
  run: 0o755,
  'run/intake.sock': 0o660,
  'run/control.sock': 0o600,
  spill: 0o2770,
};
const FOLDERS: Record<string, number> = Object.fromEntries(
  ['spool', 'decisions'].flatMap((name) =>
    [name, `${name}/cursors`, `${name}/quarantine`].map((path) => [path, 0o750]),
  ),
);

describe('permissions of created files', () => {
  const folder = temporaryFolder('rights');
  chmodSync(folder.path, 0o755);
  afterAll(folder.remove);

  test.each([
    [0o000, 'is for owner and group under a umask that forbids nothing'],
    [0o077, 'is for its owner alone where the umask says so, as that of the unit does'],
  ])('umask %o: %s', async (mask) => {
    const home = join(folder.path, `umask-${mask}`);
    const sidecar = await startSidecar(home, { mask });
    try {
      await postLines(join(home, 'run/intake.sock'), [lineAt(Date.now())]);
      await postLines(join(home, 'run/intake.sock'), ['no event']).catch(() => {});
      const sample = { body: { mode: 'sample', n: 2 } };
      expect(await askControl(join(home, 'run/control.sock'), '/v1/control', sample)).toMatchObject({
        status: 200,
      });
      const written = ['rejected.log', 'capture.json', 'duckdb/hotitem.duckdb'];
      await until(() => written.every((name) => namesIn(home).includes(name)), {
        timeoutMs: 60_000,
        what: 'all to be written',
        detail: () => namesIn(home).join(' '),
      });
      expectModes(home, mask);
    } finally {
      await sidecar.stop();
    }
    expectModes(home, mask);
    if (process.getuid?.() === 0) expect(sidecar.log()).toMatch(/"fix":"--user NAME .*this runs as root/);
  });

  test.each(FULL ? [0o000, 0o077] : [0o077])(
    'includes are readable by everybody, with the umask %o',
    async (mask) => {
      const dir = join(folder.path, `nginx-${mask}`, 'hotitem');
      const before = process.umask(mask);
      const args = ['nginx', 'install', '--dir', dir, '--home', folder.path];
      const ran = await runHotitem(args, {}).finally(() => process.umask(before));
      expect(ran.code).toBe(0);
      expect(modeOf(join(dir, '..'))).toBe(0o755);
      expect(modeOf(dir)).toBe(0o755);
      for (const name of readdirSync(dir)) expect([name, modeOf(join(dir, name))]).toEqual([name, 0o644]);
    },
  );

  testAsRoot('a sidecar as root is told what that means, and drops to --user for good', async () => {
    const home = join(folder.path, 'dropped');
    const config = join(folder.path, 'dropped.yml');
    // Only root may read it.
    writeFileSync(config, 'privacy: { ip: hash, ip_salt: a-salt-for-root-alone }\n', { mode: 0o600 });
    const sidecar = await startSidecar(home, { args: ['--user', 'nobody', '--config', config] });
    try {
      const status = readFileSync(`/proc/${sidecar.pid()}/status`, 'utf8');
      expect(/^Uid:\s+(.*)$/m.exec(status)?.[1]?.split('\t')).toEqual(Array(4).fill(String(ANOTHER_USER)));
      expect(/^Gid:\s+(.*)$/m.exec(status)?.[1]).not.toMatch(/\b0\b/);
      expect(/^Groups:\s*(.*)$/m.exec(status)?.[1]).not.toMatch(/\b0\b/);
      expect(/^Cap(?:Prm|Eff):\s+(\w+)$/gm.exec(status)?.[1]).toMatch(/^0+$/);
      expect(sidecar.log()).not.toContain('runs as root');
      await postLines(join(home, 'run/intake.sock'), [lineAt(Date.now())]);
      for (const [name, { uid }] of filesIn(home)) expect([name, uid]).toEqual([name, ANOTHER_USER]);
    } finally {
      await sidecar.stop();
    }

    // What is there already belongs to that user: root must not write into it.
    expect(await run(home, [])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${home} belongs to the user ${ANOTHER_USER}, not to root`),
    });
    if (FULL) await (await startSidecar(home, { args: ['--user', String(ANOTHER_USER)] })).stop();
  });

  testAsRoot('a start as root by mistake is named by the next one as the user of the service', async () => {
    const home = join(folder.path, 'mistaken');
    mkdirSync(join(home, 'spool'), { recursive: true, mode: 0o750 });
    chownSync(home, ANOTHER_USER, ANOTHER_USER);
    expect(await run(home, ['--user', 'nobody'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `${home}/spool: the user ${ANOTHER_USER}, who runs this, cannot write there\nchown -R ${ANOTHER_USER} ${home}`,
      ),
    });
  });

  testAsRoot.each(FULL ? ['sidecar', 'sink'] : ['sidecar'])(
    'a %s cannot switch to another user unless it is root',
    async (service) => {
      const env = { HOTITEM_HOME: join(folder.path, 'never'), KAFKA_BROKERS: '127.0.0.1:1' };
      const ran = await runHotitem([service, '--user', 'root'], env, {}, asUser());
      expect(ran).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('only root can switch to another user'),
      });
      const nobody = await runHotitem([service, '--user', 'no-such-user'], env);
      expect(nobody).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--user: no such user (got "no-such-user")'),
      });
    },
  );

  testAsRoot(
    'a link that another user put into an open home is not followed, nor a start given to it',
    async () => {
      const home = join(folder.path, 'open');
      const target = join(folder.path, 'of-root');
      writeFileSync(target, 'kept');
      mkdirSync(home);
      chmodSync(home, 0o777);
      await attack(home, `ln -s ${target} rejected.log`);
      for (const command of FULL ? ['sidecar', 'start'] : ['sidecar']) {
        expect(await run(home, [], command)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(
            `${home}/rejected.log belongs to the user ${ANOTHER_USER}, not to root`,
          ),
        });
      }
      const { code, stdout } = await run(home, [], 'check');
      expect(code).toBe(1);
      expect(stdout).toMatch(/\[state-owner\]/);
      expect(stdout).toMatch(/can be changed by every user of this host \(0777\) {2}\[state-writable\]/);
      expect(readFileSync(target, 'utf8')).toBe('kept');
    },
  );

  function run(home: string, args: string[], command = 'sidecar') {
    const env = { HOTITEM_HOME: home, HOTITEM_ADMIN_LISTEN: '127.0.0.1:0' };
    return runHotitem([command, ...args], env, { timeoutMs: 60_000 });
  }

  async function startSidecar(
    home: string,
    { mask = process.umask(), args = [] }: { mask?: number; args?: string[] } = {},
  ): Promise<Service> {
    const [port] = await freePorts(1);
    const admin = `127.0.0.1:${port}`;
    const before = process.umask(mask);
    const started = startService({
      args: ['sidecar', ...args],
      env: { HOTITEM_HOME: home, HOTITEM_ADMIN_LISTEN: admin },
      admin,
      logFile: `${home}.log`,
    });
    process.umask(before);
    return started;
  }
});

/** Everything below a folder, without what is gone by the time that it is looked at. */
function filesIn(home: string): [name: string, stats: Stats][] {
  return namesIn(home).flatMap((name): [string, Stats][] => {
    const stats = statSync(join(home, name), { throwIfNoEntry: false });
    return stats === undefined ? [] : [[name, stats]];
  });
}

/** The paths of everything below a folder, and an empty path for the folder itself. */
function namesIn(home: string): string[] {
  return ['', ...(readdirSync(home, { recursive: true }) as string[])].filter(
    // It comes and goes.
    (name) => !name.endsWith('.wal'),
  );
}

/** As the tables above say, and every file for its owner and group, less what the umask takes. */
function expectModes(home: string, mask: number): void {
  const files = filesIn(home);
  expect(files.map(([name, { mode }]) => [name, (mode & 0o7777).toString(8)])).toEqual(
    files.map(([name]) => [name, (SET[name] ?? wantedOf(name) & ~mask).toString(8)]),
  );
}

function wantedOf(name: string): number {
  // The socket of the lock is reached through its folder.
  return FOLDERS[name] ?? (/(^|\/)lock\.\d+\./.test(name) ? 0o750 : 0o640);
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}
