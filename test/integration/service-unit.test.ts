import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../service/config/config.ts';
import { type Ran, run } from '../../service/run.ts';
import { ROLES, type Role } from '../../service-setup/folders.ts';
import { unitName, unitText } from '../../service-setup/unit.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { record } from '../parts/record.ts';
import { report } from '../parts/report.ts';
import { obtainSystemdAnalyze } from '../provision/systemd-analyze.ts';

const OBTAINED_MS = 180_000;
/** Of 100. systemd calls what is below 20 "OK" and a unit without any hardening 96, "UNSAFE". */
const MOST_EXPOSED = 20;

describe.each(ROLES)('the unit of the %s', (role) => {
  const folder = temporaryFolder('unit');
  const file = join(folder.path, unitName(role));
  let command: string[] = [];

  beforeAll(async () => {
    command = await obtainSystemdAnalyze({ report });
    record((await analyze('--version')).stdout.split('\n')[0]?.concat(', systemd-analyze only') ?? '');
    writeFileSync(file, unitOf(role));
  }, OBTAINED_MS);
  afterAll(folder.remove);

  test('passes systemd-analyze verify', async () => {
    expect(await analyze('verify', file)).toMatchObject({ code: 0, stderr: '', stdout: '' });
  });

  test('denies everything that the service does not need', async () => {
    const args = ['security', '--no-pager', '--offline=true', `--threshold=${MOST_EXPOSED}`, file];
    const { code, stdout } = await analyze(...args);
    expect(code === 0 || stdout).toBe(true);
  });

  test('would fail both checks with a mistake, or without its sandbox', async () => {
    const text = readFileSync(file, 'utf8');
    const wrong = join(folder.path, `wrong-${unitName(role)}`);
    writeFileSync(wrong, text.replace('[Service]', '[Service]\nResart=always'));
    expect((await analyze('verify', wrong)).stderr).toContain('Resart');
    writeFileSync(wrong, text.replace(/^(Protect|System|Restrict|Capability).*$/gm, ''));
    const args = ['security', '--no-pager', '--offline=true', `--threshold=${MOST_EXPOSED}`, wrong];
    expect((await analyze(...args)).code).not.toBe(0);
  });

  function analyze(...args: string[]): Promise<Ran> {
    const [program = '', ...first] = command;
    return run(program, [...first, ...args]);
  }
});

function unitOf(role: Role): string {
  const config = loadConfig({ env: {}, flags: { home: '/var/lib/hotitem' } });
  // verify looks whether the program is there.
  const paths = { node: '/bin/sh', program: '/usr/lib/hotitem.mjs', configFile: '/etc/hotitem/hotitem.yml' };
  return unitText({ role, config, ...paths, version: '1.2.3' });
}
