import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readSpool } from '../../../../store/spool/history.ts';
import { events, type Opened, open, take } from './folder.ts';

const SIZE_KIB = 256;
const mounted: string[] = [];
// Runs behind the hook of folder.ts, which closes the spools.
afterEach(() => {
  for (const dir of mounted.splice(0)) {
    execFileSync('umount', [dir]);
    rmdirSync(dir);
  }
});

/** A disk of its own. Needs root, and the right to mount. */
function mountDisk(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hotitem-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_KIB}k`, 'hotitem-test', dir], { stdio: 'pipe' });
  mounted.push(dir);
  return dir;
}

const onDisk = canMount() ? describe : describe.skip;

onDisk('a real disk that is full', () => {
  test('rejects events, keeps acknowledged ones, and accepts more once consumers have made room', async () => {
    const spool = await open({ dir: `${mountDisk()}/spool`, segmentBytes: 20_000 });
    const kept = await fill(spool, 0);
    expect(kept).toBeGreaterThan(5_000);
    expect((await take(spool)).values).toEqual(events(kept));
    const before = spool.stats().nextSequence;
    const more = await fill(spool, kept);
    expect(more).toBeGreaterThan(kept + 5_000);
    expect((await take(spool)).values).toEqual(events(more - kept, kept));
    expect(before).toBe(kept);
  });

  test('is reopened as it was closed', async () => {
    const dir = `${mountDisk()}/spool`;
    const first = await open({ dir, segmentBytes: 20_000 });
    const kept = await fill(first, 0);
    await first.close();
    const second = await open({ dir, segmentBytes: 20_000 });
    expect((await take(second)).values).toEqual(events(kept));
    expect(second.faults).toEqual([]);
  });
});

onDisk('a disk that can only be read', () => {
  test('opens no spool, reports it, and its history can be read', async () => {
    const disk = mountDisk();
    const dir = `${disk}/spool`;
    const first = await open({ dir });
    await first.appendLines(events(10));
    await first.close();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await expect(open({ dir })).rejects.toMatchObject({
      code: 'SPOOL_OPEN',
      message: expect.stringContaining(dir),
    });
    const values: string[] = [];
    for await (const batch of readSpool({ dir, from: 0 })) {
      values.push(...batch.values.map(String));
    }
    expect(values).toEqual(events(10));
  });
});

/** Appends events from number `from` on until the disk is full. Returns the number after the last that is kept. */
async function fill(spool: Opened, from: number): Promise<number> {
  let next = from;
  await expect(
    (async () => {
      for (; ; next += 100) await spool.appendLines(events(100, next));
    })(),
  ).rejects.toMatchObject({ code: 'SPOOL_WRITE', retriable: true });
  return next;
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'hotitem-test', '/mnt'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
