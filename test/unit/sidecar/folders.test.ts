import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeFolders } from '../../../sidecar/folders.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const { path: root, remove } = temporaryFolder('folders');
afterAll(remove);
let before: number;
beforeEach(() => {
  before = process.umask(0o077);
});
afterEach(() => {
  process.umask(before);
});

describe('the folders that nginx and the sidecar share', () => {
  test('are accessible to the group of the workers, whatever the umask', () => {
    const { home, spill, warnings } = make(String(process.getgid?.()));
    expect(modeOf(home)).toBe(0o755);
    expect(modeOf(spill)).toBe(0o2770);
    expect(warnings).toEqual([]);
  });

  test('are kept as the operator created them, with a warning if the group cannot write', () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'home/spill'), { recursive: true });
    const { spill, warnings } = make(String(process.getgid?.()), folder);
    expect(modeOf(spill)).toBe(0o700);
    expect(warnings).toEqual(['spill folder']);
  });

  test('need a group that exists', () => {
    expect(() => make('no-such-group')).toThrow('intake.socket_group: no such group (got no-such-group)');
  });
});

function newFolder(): string {
  return mkdtempSync(join(root, 'folder-'));
}

function make(group: string, folder = newFolder()) {
  const home = join(folder, 'home');
  const spill = join(home, 'spill');
  const warnings: string[] = [];
  makeFolders({ home, spill, group, warn: (key) => void warnings.push(key) });
  return { home, spill, warnings };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}
