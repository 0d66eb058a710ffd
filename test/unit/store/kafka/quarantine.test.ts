import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createQuarantine } from '../../../../store/kafka/quarantine.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

describe('the quarantine', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let dir: string;
  beforeEach(() => {
    folder = temporaryFolder('quarantine');
    dir = join(folder.path, 'quarantine');
  });
  afterEach(() => folder.remove());

  test('stores bytes readable by its owner only, once per name', async () => {
    const { keep } = createQuarantine(dir);
    const path = await keep('a', Buffer.from('x'));
    expect(await keep('a', Buffer.from('yz'))).toBe(path);
    expect(readFileSync(path, 'utf8')).toBe('yz');
    expect([statSync(path).mode & 0o777, statSync(dir).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  test('is bounded in bytes and in files, and keeps existing files', async () => {
    const { keep } = createQuarantine(dir);
    truncateSync(await keep('large', Buffer.alloc(1)), 64 * 1024 * 1024 - 1);
    await keep('last', Buffer.alloc(1));
    await expect(keep('more', Buffer.alloc(1))).rejects.toThrow('quarantine is full');
    truncateSync(join(dir, 'large'), 0);
    for (let i = 2; i < 1000; i++) writeFileSync(join(dir, `f${i}`), '');
    await expect(keep('more', Buffer.alloc(1))).rejects.toThrow('quarantine is full');
    expect(readdirSync(dir)).toHaveLength(1000);
  });
});
