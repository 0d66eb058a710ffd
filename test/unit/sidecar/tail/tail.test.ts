import { existsSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { canMakeOverlay, makeOverlay } from '../../../parts/overlay.ts';
import { until } from '../../../parts/until.ts';
import { age, PATIENCE_MS, startTailed, tailFolder, untilLooked, untilTaken } from './start.ts';

describe('the tail ingests', () => {
  test('each complete line of each file, while they grow', async () => {
    const tailed = await startTailed();
    tailed.write('2026-11-22T15:26.tsv', 'a\nb\nhal');
    tailed.write('2026-11-22T15:27.tsv', 'c\n');
    await untilTaken(tailed, ['a', 'b', 'c']);
    tailed.write('2026-11-22T15:26.tsv', 'f\n');
    await untilTaken(tailed, ['a', 'b', 'c', 'half']);
  });

  test.each(['log', 'shared', 'spill'])('a file by its name as one of the %s', async (source) => {
    const tailed = await startTailed();
    tailed.write(source === 'spill' ? '2026-11-22T15:26.tsv' : `${source}-2026-11-22T15:26.tsv`, 'a\n');
    await untilTaken(tailed, ['a']);
    expect([...tailed.sources]).toEqual([source]);
  });

  test('no line about a hot item as if a view were waiting', async () => {
    const tailed = await startTailed();
    tailed.write('shared-2026-11-22T15:26.tsv', 'a\n');
    await untilTaken(tailed, ['a']);
    expect(tailed.mostWaiting).toBe(0);
    tailed.write('2026-11-22T15:26.tsv', 'b\n');
    await untilTaken(tailed, ['a', 'b']);
    expect(tailed.mostWaiting).toBe(2);
  });

  test('views, although lines about hot items fill the folder', async () => {
    const tailed = await startTailed(tailFolder(), { maxBytes: 20_000 });
    tailed.write('shared-2026-11-22T15:26.tsv', 'shared\t4711\n'.repeat(10_000));
    await untilLooked(tailed);
    expect(tailed.gauge('spill_full')).toBe(0);
    tailed.refuse = true;
    tailed.write('2026-11-22T15:26.tsv', `${'x'.repeat(200)}\n`.repeat(200));
    await until(() => tailed.gauge('spill_full') === 1, { timeoutMs: PATIENCE_MS, what: 'a full folder' });
  });

  test('more than fits into its buffer', async () => {
    const tailed = await startTailed();
    const long = Array.from({ length: 30_000 }, (_, i) => `${i}${'x'.repeat(100)}`);
    tailed.write('a.tsv', `${long.join('\n')}\n`);
    await untilTaken(tailed, long);
  });

  test.each([-300, -100, -1, 0, 1, 100])(
    'the line after NULs (a power cut) completely, %i bytes from the end of a buffer',
    async (distance) => {
      const tailed = await startTailed();
      const good = 'x'.repeat(200);
      tailed.write('a.tsv', `${'\0'.repeat(256 * 1024 + distance)}${good}\n`);
      await until(() => tailed.taken.join('').includes('x'), { timeoutMs: PATIENCE_MS, what: 'the line' });
      expect(tailed.taken.map((line) => line.replaceAll('\0', '')).filter(Boolean)).toEqual([good]);
    },
  );

  test('a line that follows NULs while the file grows', async () => {
    const tailed = await startTailed();
    tailed.write('a.tsv', 'torn\0\0\0');
    await untilTaken(tailed, ['torn\0\0\0']);
    tailed.write('a.tsv', 'good\n');
    await untilTaken(tailed, ['torn\0\0\0', 'good']);
  });

  test('the same lines again if they could not be stored', async () => {
    const tailed = await startTailed();
    tailed.refuse = true;
    tailed.write('a.tsv', 'a\n');
    await until(() => tailed.refusals > 1, { timeoutMs: PATIENCE_MS, what: 'two attempts' });
    tailed.refuse = false;
    await untilTaken(tailed, ['a']);
  });

  test('files that are being written before older ones, and those oldest first', async () => {
    const folder = tailFolder();
    const early = await startTailed(folder);
    await early.close();
    age(early.write('2026-11-21T10:02.tsv', 'second\n'), 3600);
    age(early.write('2026-11-21T10:01.tsv', 'first\n'), 3600);
    early.write('2026-11-22T15:26.tsv', 'now\n');
    await untilTaken(await startTailed(folder), ['now', 'first', 'second']);
  });
});

describe('the tail continues', () => {
  test('after a restart at its last position', async () => {
    const folder = tailFolder();
    const first = await startTailed(folder);
    first.write('a.tsv', 'a\nb\n');
    await untilTaken(first, ['a', 'b']);
    await first.close();
    first.write('a.tsv', 'c\n');
    await untilTaken(await startTailed(folder), ['c']);
  });

  test('in a renamed file', async () => {
    const tailed = await startTailed();
    const path = tailed.write('a.tsv', 'a\nb\n');
    await untilTaken(tailed, ['a', 'b']);
    renameSync(path, join(tailed.dir, 'b.tsv'));
    tailed.write('b.tsv', 'c\n');
    await untilTaken(tailed, ['a', 'b', 'c']);
  });

  test('from the start of a file that is truncated', async () => {
    const tailed = await startTailed();
    const path = tailed.write('a.tsv', 'a\nb\n');
    await untilTaken(tailed, ['a', 'b']);
    truncateSync(path);
    tailed.write('a.tsv', 'd\n');
    await untilTaken(tailed, ['a', 'b', 'd']);
  });

  test('from the start of another file with the same inode, though it is longer', async () => {
    const folder = tailFolder();
    const first = await startTailed(folder);
    const path = first.write('a.tsv', 'a\nb\n');
    await untilTaken(first, ['a', 'b']);
    await first.close();
    // Keeps the inode, as a file system may that gives it to the next file.
    writeFileSync(path, 'c\nd\ne\n');
    await untilTaken(await startTailed(folder), ['c', 'd', 'e']);
  });

  test.each(['{"broken', '{"1":4}', '[[1,{"at":-1,"head":0}]]', '[[1]]', 'null'])(
    'from the start with the offsets %s',
    async (damaged) => {
      const folder = tailFolder();
      writeFileSync(join(folder, 'offsets.json'), damaged);
      const tailed = await startTailed(folder);
      tailed.write('a.tsv', 'a\n');
      await untilTaken(tailed, ['a']);
    },
  );
});

describe('inodes above 2^53', () => {
  // Some network file systems have them; so has an overlay for the files of a layer below.
  const onOverlay = canMakeOverlay() ? test : test.skip;

  onOverlay('are not read again for ever: two files with neighbouring inodes are two', async () => {
    const overlay = await makeOverlay({ 'a.tsv': 'a1\na2\n', 'b.tsv': 'b1\n' });
    try {
      const inodes = ['a.tsv', 'b.tsv'].map((name) => statSync(join(overlay.path, name)).ino);
      expect(inodes[0]).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
      expect(inodes[0]).toBe(inodes[1]);
      const tailed = await startTailed(tailFolder(), { dir: overlay.path });
      await untilTaken(tailed, ['a1', 'a2', 'b1']);
      await untilLooked(tailed);
      expect(tailed.taken).toHaveLength(3);
      await tailed.close();

      const next = await startTailed(tailed.folder, { dir: overlay.path });
      await untilLooked(next);
      expect(next.taken).toEqual([]);
    } finally {
      await overlay.close();
    }
  });

  test('and offsets that an earlier sidecar stored as numbers are accepted', async () => {
    const folder = tailFolder();
    const first = await startTailed(folder);
    const path = first.write('a.tsv', 'a\n');
    await untilTaken(first, ['a']);
    await first.close();
    const inode = String(statSync(path).ino);
    const text = readFileSync(first.offsetsPath, 'utf8');
    expect(text).toContain(`"${inode}"`);
    writeFileSync(first.offsetsPath, text.replace(`"${inode}"`, inode));
    first.write('a.tsv', 'b\n');

    await untilTaken(await startTailed(folder), ['b']);
  });
});

describe('a file is removed', () => {
  test('once nobody writes to it, even if its last line has no end', async () => {
    const tailed = await startTailed();
    const path = tailed.write('a.tsv', 'a\ntorn');
    await untilTaken(tailed, ['a']);
    age(path, 181);
    await untilTaken(tailed, ['a', 'torn']);
    await until(() => !existsSync(path), { timeoutMs: PATIENCE_MS, what: 'the removal' });
    await until(() => readFileSync(tailed.offsetsPath, 'utf8') === '[]', {
      timeoutMs: PATIENCE_MS,
      what: 'its offset to be forgotten',
    });
  });

  test('not while its last line is torn by a full disk: it is read later, and the following line is complete', async () => {
    const tailed = await startTailed(tailFolder(), { tornAfterMs: 50 });
    const path = tailed.write('a.tsv', 'a\ntorn');
    await untilTaken(tailed, ['a', 'torn']);
    await until(() => tailed.gauge('spill_waiting_bytes') === 0, {
      timeoutMs: PATIENCE_MS,
      what: 'nothing to wait',
    });
    tailed.write('a.tsv', 'b\n');

    await untilTaken(tailed, ['a', 'torn', 'b']);
    expect(existsSync(path)).toBe(true);
  });

  test('and a line without an end does not block the accounting of nginx', async () => {
    const tailed = await startTailed();
    tailed.write('a.tsv', 'a\ntorn');
    await untilTaken(tailed, ['a']);
    await untilLooked(tailed);
    expect(tailed.gauge('spill_waiting_bytes')).toBe(0);
    tailed.write('a.tsv', ' and mended\n');
    await untilTaken(tailed, ['a', 'torn and mended']);
  });

  test('and a last line that grows without end is read, too', async () => {
    const tailed = await startTailed(tailFolder(), { tornAfterMs: 50 });
    tailed.write('a.tsv', 'a\n');
    await untilTaken(tailed, ['a']);
    const grows = setInterval(() => tailed.write('a.tsv', 'x'), 5);
    await until(() => tailed.taken.length > 2, { timeoutMs: PATIENCE_MS, what: 'parts of it' }).finally(() =>
      clearInterval(grows),
    );
    expect(tailed.taken.join('')).toMatch(/^ax+$/);
  });

  test('not while nginx may still hold it open', async () => {
    const tailed = await startTailed();
    const path = tailed.write('a.tsv', 'a\n');
    age(path, 170);
    const older = tailed.write('b.tsv', 'b\n');
    age(older, 190);
    await until(() => !existsSync(older), { timeoutMs: PATIENCE_MS, what: 'the removal of the older' });
    expect(existsSync(path)).toBe(true);
  });

  test('not while its lines cannot be stored', async () => {
    const tailed = await startTailed();
    tailed.refuse = true;
    const path = tailed.write('a.tsv', 'a\n');
    age(path, 190);
    await until(() => tailed.refusals > 1, { timeoutMs: PATIENCE_MS, what: 'two attempts' });
    expect(existsSync(path)).toBe(true);
  });
});
