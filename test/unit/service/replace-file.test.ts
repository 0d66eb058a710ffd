import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { replaceFile } from '../../../service/replace-file.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const folder = temporaryFolder('replace-file');
afterAll(() => folder.remove());
let made = 0;

describe('a file is replaced', () => {
  test.each([{ durable: false }, { durable: true }])('atomically, without a leftover, %j', async (how) => {
    const path = join(emptyFolder(), 'state.json');
    await replaceFile(path, 'first', how);
    await replaceFile(path, 'second', how);

    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(readdirSync(join(path, '..'))).toEqual(['state.json']);
  });

  test('with the requested mode, whatever the umask', async () => {
    const path = join(emptyFolder(), 'a.conf');
    const before = process.umask(0o077);
    await replaceFile(path, '', { mode: 0o644 }).finally(() => process.umask(before));

    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  test('without following a link at the temporary path', async () => {
    const dir = emptyFolder();
    const theirs = join(dir, 'theirs');
    writeFileSync(theirs, 'theirs');
    symlinkSync(theirs, join(dir, `state.json.${process.pid}.tmp`));
    await replaceFile(join(dir, 'state.json'), 'ours');

    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
    expect(readFileSync(join(dir, 'state.json'), 'utf8')).toBe('ours');
  });
});

test('a file that cannot be replaced stays unchanged, and the temporary file is removed', async () => {
  const dir = emptyFolder();
  const path = join(dir, 'state.json');
  mkdirSync(join(path, 'in the way'), { recursive: true });

  await expect(replaceFile(path, 'text')).rejects.toThrow();
  expect(readdirSync(dir)).toEqual(['state.json']);
});

function emptyFolder(): string {
  const dir = join(folder.path, String(made++));
  mkdirSync(dir);
  return dir;
}
