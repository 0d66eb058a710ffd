import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Ran, run } from '../../service/run.ts';
import { temporaryFolder } from '../parts/guard.ts';

const ROOT = join(import.meta.dirname, '../..');

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder('bootstrap');
  for (const name of ['bootstrap.mjs', 'package.json', 'package-lock.json'])
    copyFileSync(join(ROOT, name), join(folder.path, name));
  cpSync(join(ROOT, 'bin'), join(folder.path, 'bin'), { recursive: true });
  writeFileSync(join(folder.path, 'build.mjs'), '');
});
afterEach(() => folder.remove());

test('a fresh clone is installed with what the cache of npm knows', async () => {
  expect((await bootstrap('exit 0')).code).toBe(0);
  expect(asked()).toEqual([expect.stringMatching(/^install .*--ignore-scripts.* --prefer-offline$/)]);
});

test('a cache that is older than the lock file is not an error: the registry is asked', async () => {
  expect((await bootstrap('case "$*" in *prefer-offline*) exit 1;; esac')).code).toBe(0);
  expect(asked()).toEqual([
    expect.stringContaining('--prefer-offline'),
    expect.not.stringContaining('--prefer-offline'),
  ]);
});

test('an npm that fails both times is an error that says so', async () => {
  const { code, stderr } = await bootstrap('exit 1');
  expect(code).toBe(1);
  expect(stderr).toContain('Is the npm registry reachable?');
  expect(asked()).toHaveLength(2);
});

test('a DuckDB that npm has left out is named at the start, and one that is there is not', async () => {
  const name = `DuckDB for ${process.platform} ${process.arch}`;
  expect((await bootstrap('exit 0')).stderr).toContain(name);
  const native = join(folder.path, `node_modules/@duckdb/node-bindings-${process.platform}-${process.arch}`);
  mkdirSync(native, { recursive: true });
  writeFileSync(join(native, 'duckdb.node'), '');
  expect((await bootstrap('exit 0')).stderr).not.toContain(name);
});

/** Runs `bootstrap.mjs build` with an npm that notes its arguments and then does this. */
function bootstrap(script: string): Promise<Ran> {
  const npm = `#!/bin/sh\necho "$*" >>'${join(folder.path, 'asked')}'\n${script}\n`;
  writeFileSync(join(folder.path, 'npm'), npm, { mode: 0o755 });
  const env = { PATH: `${folder.path}:${process.env.PATH}` };
  return run(process.execPath, [join(folder.path, 'bootstrap.mjs'), 'build'], { env });
}

function asked(): string[] {
  return readFileSync(join(folder.path, 'asked'), 'utf8').trim().split('\n');
}
