import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Ran, run } from '../../service/run.ts';
import { testAsRoot } from '../parts/as-root.ts';
import { attack, sharedFolder } from '../parts/attacker.ts';
import { FULL, firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';

jest.setTimeout(180_000);
const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');
const EVIL = 'elasticsearch: { node: http://evil.example:9200 }';
type Where = { cwd?: string; env?: Record<string, string> };
/** Mounting needs root, and not every container lets it. */
const onAnotherEtc =
  spawnSync('unshare', ['--mount', 'mount', '--bind', '/mnt', '/mnt']).status === 0 ? test : test.skip;
/** The full run (HOTITEM_TEST_FULL) has every case, the normal one those that differ most. */
const onAnotherEtcInFull = FULL ? onAnotherEtc : test.skip;
const NO_CONFIGURATION = /^hotitem: no configuration file \(looked for \/etc\/hotitem\/hotitem.yml and /;

describe('the choice of the configuration file', () => {
  const folder = temporaryFolder('configuration');
  const here = sharedFolder('configuration');
  afterAll(() => {
    folder.remove();
    here.remove();
  });

  test('a command says that there is none, and check reports it', async () => {
    const { code, stdout, stderr } = await check({ cwd: folder.path });
    expect(stderr).toMatch(NO_CONFIGURATION);
    expect(stdout).toContain('[home-relative]');
    expect(stdout).not.toContain('good');
    expect(code).toBe(0);
  });

  test('a command says which file it has read, however it was chosen', async () => {
    const file = join(folder.path, 'named.yml');
    writeFileSync(file, `home: ${folder.path}\n`);
    for (const ran of [
      await check({ args: ['--config', file] }),
      await check({ env: { HOTITEM_CONFIG: file } }),
    ]) {
      expect(ran).toMatchObject({ code: 0, stderr: `hotitem: configuration ${file}\n` });
      expect(ran.stdout).toContain('The configuration is valid.');
    }
  });

  test('nginx install rejects a relative home, and writes nothing', async () => {
    const dir = join(folder.path, 'nginx');
    const args = ['nginx', 'install', '--dir', dir];
    const refused = await hotitem(args, { cwd: folder.path });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('home: must be an absolute path here');
    expect(refused.stderr).toContain(join(folder.path, 'var/run/intake.sock'));
    expect(existsSync(dir)).toBe(false);
    expect(await hotitem([...args, '--home', '/srv/x'], { cwd: folder.path })).toMatchObject({ code: 0 });
    expect(readFileSync(join(dir, 'http.conf'), 'utf8')).toContain('unix:/srv/x/run/intake.sock');
  });

  test('nginx install warns about a parent folder that the workers cannot enter', async () => {
    const closed = join(folder.path, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    chmodSync(folder.path, 0o755);
    const args = ['nginx', 'install', '--dry-run', '--dir', '/nowhere', '--home', join(closed, 'home')];
    const { code, stderr } = await hotitem(args, {});
    expect(code).toBe(0);
    expect(stderr).toMatch(/cannot reach \S+closed\/home\/run\/intake\.sock: \S+\/closed .*\[way-closed\]/);
    const open = await hotitem([...args.slice(0, -1), '/srv/hotitem'], {});
    expect(open.stderr).not.toContain('[way-closed]');
  });

  describe('in a directory that another user can write to', () => {
    const name = join(here.path, 'hotitem.yml');

    const planted: [string, string, string][] = [
      ['a file', `echo '${EVIL}' > hotitem.yml`, 'belongs to the user 65534'],
      ['a FIFO', 'mkfifo hotitem.yml', 'not a regular file'],
      ['a link of his to a file of root', 'ln -s /etc/hostname hotitem.yml', 'belongs to the user 65534'],
      ['a folder', 'mkdir hotitem.yml', 'not a regular file'],
    ];
    testAsRoot.each(firstOf(2, planted))('root does not trust %s', async (_, line, reason) => {
      await attack(here.path, line);
      try {
        const { code, stdout, stderr } = await check({
          cwd: here.path,
          env: { HOTITEM_ELASTICSEARCH_API_KEY: 'hunter2' },
        });
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr).toContain(`${name}: it is not read, because it `);
        expect(stderr).toContain(reason);
        expect(stderr).not.toContain('evil.example');
      } finally {
        await attack(here.path, 'rm -r hotitem.yml');
      }
    });

    const open: [string, number, string][] = [
      ['everybody', 0o646, 'can be changed by every user of this host'],
      ['a group', 0o664, 'can be changed by the group 65534'],
    ];
    testAsRoot.each(firstOf(1, open))(
      'root does not trust its own file that %s may change',
      async (_, mode, reason) => {
        const own = temporaryFolder('configuration');
        const file = join(own.path, 'hotitem.yml');
        writeFileSync(file, EVIL);
        chownSync(file, 0, 65_534);
        chmodSync(file, mode);
        const { code, stderr } = await check({ cwd: own.path });
        own.remove();
        expect(code).toBe(1);
        expect(stderr).toContain(reason);
      },
    );

    const whenFull = FULL ? testAsRoot : test.skip;
    whenFull('one that he names is his decision, and found', async () => {
      await attack(here.path, `echo '${EVIL}' > hotitem.yml`);
      const { code, stdout } = await check({ args: ['--config', name] });
      await attack(here.path, 'rm hotitem.yml');
      expect(stdout).toContain('[file-owner]');
      expect(code).toBe(1);
    });
  });

  // In a mount namespace: the machine's own /etc is not touched.
  describe('on a host with /etc/hotitem/hotitem.yml', () => {
    const etc = join(folder.path, 'etc');
    const file = '/etc/hotitem/hotitem.yml';
    const works = join(folder.path, 'works');

    beforeAll(() => {
      mkdirSync(join(etc, 'hotitem'), { recursive: true });
      mkdirSync(works);
      writeFileSync(join(etc, 'hotitem/hotitem.yml'), 'home: /var/lib/of-the-host\n');
      writeFileSync(join(etc, 'passwd'), 'root:x:0:0::/root:/bin/sh\n');
    });

    onAnotherEtc('every command reads it, wherever it is started', async () => {
      const ran = await onHost(['check']);
      expect(ran).toMatchObject({ code: 0, stderr: `hotitem: configuration ${file}\n` });
      expect(ran.stdout).toContain('/var/lib/of-the-host/run/intake.sock');
      const dir = join(folder.path, 'of-the-host');
      await onHost(['nginx', 'install', '--dir', dir]);
      expect(readFileSync(join(dir, 'http.conf'), 'utf8')).toContain(
        'unix:/var/lib/of-the-host/run/intake.sock',
      );
    });

    onAnotherEtcInFull('it may be a link, as Kubernetes mounts it', async () => {
      mkdirSync(join(etc, 'hotitem/..data'));
      renameSync(join(etc, 'hotitem/hotitem.yml'), join(etc, 'hotitem/..data/hotitem.yml'));
      symlinkSync('..data/hotitem.yml', join(etc, 'hotitem/hotitem.yml'));
      expect((await onHost(['check'])).stdout).toContain('/var/lib/of-the-host/run/intake.sock');
    });

    onAnotherEtc('that of the working directory is not read beside it, and a command says so', async () => {
      const other = join(works, 'hotitem.yml');
      writeFileSync(other, 'home: /var/lib/of-the-directory\n');
      const ran = await onHost(['check']);
      expect(ran.stdout).toContain('/var/lib/of-the-host/');
      expect(ran.stderr).toBe(`hotitem: configuration ${file} (not read: ${other})\n`);
    });

    onAnotherEtcInFull('HOTITEM_CONFIG goes before it, and --config before that', async () => {
      const [variable, flag] = ['variable', 'flag'].map((name) => {
        const path = join(folder.path, `${name}.yml`);
        writeFileSync(path, `home: /by/${name}\n`);
        return path;
      });
      const env = { HOTITEM_CONFIG: variable ?? '' };
      expect((await onHost(['check'], env)).stdout).toContain('/by/variable/run');
      expect((await onHost(['check', '--config', flag ?? ''], env)).stdout).toContain('/by/flag/run');
    });

    onAnotherEtc('one that may not be read is not passed over', async () => {
      chmodSync(join(etc, 'hotitem'), 0o700);
      chmodSync(folder.path, 0o755);
      const { code, stderr } = await onHost(['check'], {}, ['setpriv', '--reuid=65534', '--clear-groups']);
      chmodSync(join(etc, 'hotitem'), 0o755);
      expect(code).toBe(1);
      expect(stderr).toContain(`${file}: EACCES`);
      expect(stderr).toContain('run this as root or as the user of the service');
    });

    function onHost(args: string[], env: Record<string, string> = {}, as: string[] = []): Promise<Ran> {
      const command = [...as, process.execPath, PROGRAM, ...args];
      const line = 'mount --bind "$0" /etc && cd "$1" && shift && exec "$@"';
      return run('unshare', ['--mount', 'sh', '-c', line, etc, works, ...command], {
        env: { PATH: process.env.PATH, ...env },
      });
    }
  });

  function check({ args = [], ...options }: Where & { args?: string[] }): Promise<Ran> {
    return hotitem(['check', ...args], options);
  }

  function hotitem(args: string[], { cwd = folder.path, env = {} }: Where): Promise<Ran> {
    return run(process.execPath, [PROGRAM, ...args], { cwd, env: { PATH: process.env.PATH, ...env } });
  }
});
