import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { events, open, take, tempFolder } from './folder.ts';
import { startSpoolProcess } from './process.ts';

function locksIn(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('lock.'));
}

describe('the folder of a spool', () => {
  test("is denied to a second process, with the owner's name", async () => {
    const spool = await open();
    const second = startSpoolProcess('hold', { dir: spool.dir });
    const refused = await second.says(/^refused/);
    expect(refused).toMatch(new RegExp(`^refused SPOOL_LOCKED: process ${process.pid} uses the spool`));
    await spool.appendLines(events(3));
    expect((await take(spool)).values).toEqual(events(3));
  });

  test('is free again, and clean, after kill -9 of the process that had it', async () => {
    const dir = tempFolder();
    const holder = startSpoolProcess('hold', { dir });
    await holder.says(/^open$/);
    await expect(open({ dir })).rejects.toMatchObject({ code: 'SPOOL_LOCKED', retriable: true });
    await holder.kill();
    await open({ dir });
    expect(locksIn(dir)).toHaveLength(1);
  });

  test('is free again after closing', async () => {
    const first = await open();
    await first.close();
    expect(locksIn(first.dir)).toEqual([]);
    await open({ dir: first.dir });
  });

  test('is given to at most one of several that start at once', async () => {
    const dir = tempFolder();
    const opened = await Promise.allSettled(Array.from({ length: 5 }, () => open({ dir })));
    const codes = opened.map((one) => (one.status === 'fulfilled' ? 'open' : one.reason.code));
    expect(codes.filter((code) => code === 'open').length).toBeLessThanOrEqual(1);
    expect(codes.filter((code) => code !== 'open' && code !== 'SPOOL_LOCKED')).toEqual([]);
  });

  test('may have a longer path than a socket may have', async () => {
    const dir = join(tempFolder(), 'x'.repeat(120));
    mkdirSync(dir);
    await open({ dir });
    await expect(open({ dir })).rejects.toMatchObject({ code: 'SPOOL_LOCKED' });
  });

  test('that cannot be created is an error that names it', async () => {
    const dir = join(import.meta.filename, 'spool');
    await expect(open({ dir })).rejects.toMatchObject({
      code: 'SPOOL_OPEN',
      message: expect.stringContaining(dir),
    });
  });
});
