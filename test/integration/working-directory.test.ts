import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { type Ran, run } from '../../service/run.ts';
import { firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';

jest.setTimeout(180_000);
const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');

describe("in a working directory with another user's nginx", () => {
  const folder = temporaryFolder('programs');
  afterAll(folder.remove);

  const ways: [string, string[], Record<string, string>][] = [
    ['named without a slash', ['nginx'], { PATH: '/nowhere' }],
    ['where the PATH has an empty entry', [], { PATH: ':/nowhere' }],
    ['where the PATH has a dot', [], { PATH: '.:/nowhere' }],
    ['named without a slash by HOTITEM_NGINX', [], { HOTITEM_NGINX: 'nginx', PATH: '/nowhere' }],
  ];
  test.each(firstOf(2, ways))('check --nginx does not run it, %s', async (_, args, env) => {
    plant('nginx');
    plant('id');
    const { stdout, stderr } = await check(args, env);
    expect(stdout + stderr).not.toContain('uid=0(evil)');
    expect(stdout + stderr).not.toContain('is not a working nginx');
  });

  test('other programs are not searched there either', async () => {
    plant('uname');
    const { stdout } = await run('uname', [], { cwd: folder.path, env: { PATH: `.::${process.env.PATH}` } });
    expect(stdout).toBe('Linux\n');
  });

  test('check --nginx runs it if its path is given', async () => {
    plant('nginx');
    const { code, stderr } = await check(['./nginx'], { PATH: process.env.PATH ?? '' });
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(folder.path, 'nginx')} is not a working nginx`);
  });

  function plant(name: string): void {
    const path = join(folder.path, name);
    writeFileSync(path, '#!/bin/sh\necho "uid=0(evil)"\n');
    chmodSync(path, 0o755);
  }

  function check(args: string[], env: Record<string, string>): Promise<Ran> {
    const command = [process.execPath, PROGRAM, 'check', '--nginx', ...args];
    // Not run(): it would take the relative entries out of the PATH itself.
    return run('/usr/bin/env', [...Object.entries(env).map(([k, v]) => `${k}=${v}`), ...command], {
      cwd: folder.path,
    });
  }
});
