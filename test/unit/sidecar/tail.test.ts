import { existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { until } from '../../parts/until.ts';
import { age, startTailed, tailFolder, untilTaken } from './tail-start.ts';

describe('the tail takes in', () => {
  test('each complete line of each file, while they grow', async () => {
    const tailed = await startTailed();
    tailed.write('2026-11-22T15:26.tsv', 'a\nb\nhal');
    tailed.write('2026-11-22T15:27.tsv', 'c\n');
    await untilTaken(tailed, ['a', 'b', 'c']);
    tailed.write('2026-11-22T15:26.tsv', 'f\n');
    await untilTaken(tailed, ['a', 'b', 'c', 'half']);
  });

  test.each(['log', 'spill'])('what the name says is from the %s', async (source) => {
    const tailed = await startTailed();
    tailed.write(source === 'log' ? 'log-2026-11-22T15:26.tsv' : '2026-11-22T15:26.tsv', 'a\n');
    await untilTaken(tailed, ['a']);
    expect([...tailed.sources]).toEqual([source]);
  });

  test('more than its buffer holds', async () => {
    const tailed = await startTailed();
    const long = Array.from({ length: 30_000 }, (_, i) => `${i}${'x'.repeat(100)}`);
    tailed.write('a.tsv', `${long.join('\n')}\n`);
    await untilTaken(tailed, long);
  });

  test('the same lines again when they could not be kept', async () => {
    const tailed = await startTailed();
    tailed.refuse = true;
    tailed.write('a.tsv', 'a\n');
    await until(() => tailed.refusals > 1, { timeoutMs: 5000, what: 'two attempts' });
    tailed.refuse = false;
    await untilTaken(tailed, ['a']);
  });

  test('what is being written before what is left from earlier, and that oldest first', async () => {
    const folder = tailFolder();
    const early = await startTailed(folder);
    await early.close();
    age(early.write('2026-11-21T10:02.tsv', 'second\n'), 3600);
    age(early.write('2026-11-21T10:01.tsv', 'first\n'), 3600);
    early.write('2026-11-22T15:26.tsv', 'now\n');
    await untilTaken(await startTailed(folder), ['now', 'first', 'second']);
  });
});

describe('the tail goes on', () => {
  test('after a restart where it had come to', async () => {
    const folder = tailFolder();
    const first = await startTailed(folder);
    first.write('a.tsv', 'a\nb\n');
    await untilTaken(first, ['a', 'b']);
    await first.close();
    first.write('a.tsv', 'c\n');
    await untilTaken(await startTailed(folder), ['c']);
  });

  test('in a file that is renamed', async () => {
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

describe('a file is removed', () => {
  test('once nobody writes to it any more, with a last line that nobody will end', async () => {
    const tailed = await startTailed();
    const path = tailed.write('a.tsv', 'a\ntorn');
    await untilTaken(tailed, ['a']);
    age(path, 181);
    await untilTaken(tailed, ['a', 'torn']);
    await until(() => !existsSync(path), { timeoutMs: 5000, what: 'the removal' });
    await until(() => readFileSync(tailed.offsetsPath, 'utf8') === '[]', {
      timeoutMs: 5000,
      what: 'its offset to be forgotten',
    });
  });

  test('not while nginx may still hold it open', async () => {
    const tailed = await startTailed();
    const path = tailed.write('a.tsv', 'a\n');
    age(path, 170);
    const older = tailed.write('b.tsv', 'b\n');
    age(older, 190);
    await until(() => !existsSync(older), { timeoutMs: 5000, what: 'the removal of the older' });
    expect(existsSync(path)).toBe(true);
  });

  test('not while its lines cannot be kept', async () => {
    const tailed = await startTailed();
    tailed.refuse = true;
    const path = tailed.write('a.tsv', 'a\n');
    age(path, 190);
    await until(() => tailed.refusals > 1, { timeoutMs: 5000, what: 'two attempts' });
    expect(existsSync(path)).toBe(true);
  });
});
