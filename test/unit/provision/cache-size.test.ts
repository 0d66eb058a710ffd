import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { sizeOf } from '../../../provision/cache.ts';
import { temporaryFolder } from '../../parts/guard.ts';

test('files are counted once, whatever links lead out of the folder or in circles', async () => {
  const { path: folder, remove } = temporaryFolder('size');
  mkdirSync(join(folder, 'usr/bin'), { recursive: true });
  writeFileSync(join(folder, 'usr/bin/a'), 'abc');
  symlinkSync('.', join(folder, 'usr/bin/X11'));
  symlinkSync('/usr', join(folder, 'out'));
  expect(await sizeOf(folder)).toBe(3);
  remove();
});
