import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { fileFindings } from '../../../app/rules/file-rules.ts';
import { type Ran, run } from '../../../service/run.ts';
import { firstOf } from '../../parts/full.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const PROGRAM = join(import.meta.dirname, '../../../dist/hotitem.mjs');

describe('hotitem check: findings about configuration files', () => {
  const { path: folder, remove } = temporaryFolder('check-files');
  afterAll(remove);

  const SECRET = 'elasticsearch:\n  node: http://es:9200\n  username: u\n  password: hunter2\n';
  const PLAIN = 'elasticsearch:\n  node: http://es:9200\n';
  test.each(
    firstOf<[string, string, number, string[]]>(3, [
      ['a password that everybody may read and change', SECRET, 0o666, ['file-readable', 'file-writable']],
      ['a configuration that everybody may change', PLAIN, 0o666, ['file-writable']],
      ['a password of owner and group', SECRET, 0o640, []],
      ['a password that everybody may read', SECRET, 0o644, ['file-readable']],
      ['a password that everybody may change', SECRET, 0o602, ['file-writable']],
      ['no secret', PLAIN, 0o644, []],
    ]),
  )('%s', async (_, text, mode, ids) => {
    const { code, stdout, stderr } = await check(['--config', file('settings.yml', text, mode)]);
    expect([...stdout.matchAll(/\[(file-\w+)\]$/gm)].map(([, id]) => id)).toEqual(ids);
    expect(code).toBe(ids.length === 0 ? 0 : 1);
    expect(stdout.includes('The configuration is valid.')).toBe(ids.length === 0);
    expect(stdout + stderr).not.toContain('hunter2');
  });

  test('are printed as JSON, each with the command that fixes it', async () => {
    const path = file('secret.yml', SECRET, 0o644);
    const { code, stdout } = await check(['--json', '--config', path]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      findings: [{ id: 'file-readable', severity: 'error', command: `chmod o= ${path}` }],
    });
    expect(await check(['--accept', 'file-readable', '--config', path])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing to change, 1 accepted.'),
    });
  });

  test.each([0o604, 0o600])('report a secret in a file that a variable names, %o', async (mode) => {
    const env = {
      HOTITEM_PRIVACY_IP_SALT_FILE: file('salt', 'hunter2hunter2hunter2', mode),
      HOTITEM_PRIVACY_IP: 'hash',
    };
    const { code, stdout } = await check([], env);
    expect(stdout.includes('[file-readable]')).toBe(mode === 0o604);
    expect(code).toBe(mode === 0o604 ? 1 : 0);
  });

  test.each([
    [0, 0, []],
    [998, 998, []],
    [0, 998, []],
    [998, 0, ['file-owner']],
    [33, 998, ['file-owner']],
  ])('report a file of user %i that user %i reads', (owner, uid, ids) => {
    const read = { path: '/etc/hotitem/hotitem.yml', secret: false, mode: 0o640, uid: owner };
    expect(fileFindings([read], uid).map(({ id }) => id)).toEqual(ids);
  });

  test('reject a login without a name in the address of Elasticsearch, without printing it', async () => {
    const { code, stdout, stderr } = await check([], { ELASTICSEARCH_NODE: 'http://:hunter2@es:9200' });
    expect(code).toBe(1);
    expect(stderr).toContain('elasticsearch.node: must not contain a login');
    expect(stdout + stderr).not.toContain('hunter2');
  });

  function file(name: string, text: string, mode: number): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  function check(args: string[], env: Record<string, string> = {}): Promise<Ran> {
    return run(process.execPath, [PROGRAM, 'check', ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOTITEM_HOME: folder, ...env },
    });
  }
});
