import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Oddity } from '../../../../sidecar/tail/folder.ts';
import { FULL } from '../../../parts/full.ts';
import { until } from '../../../parts/until.ts';
import { age, PATIENCE_MS, startTailed, type Tailed, tailFolder, untilLooked, untilTaken } from './start.ts';

const NOBODY = 65_534;
const FILES = FULL ? 10_000 : 300;
const JUNK = FULL ? 40_000_000 : 10_000_000;
const isRoot = process.getuid?.() === 0;

afterEach(() => {
  if (isRoot) process.seteuid?.(0);
});

describe('in its folder the tail', () => {
  test.each<[string, Oddity, (path: string) => void]>([
    ['a folder', 'type', (path) => mkdirSync(path)],
    ['a pipe', 'type', (path) => execFileSync('mkfifo', [path])],
    ['a link to a file', 'link', (path) => symlinkSync('/etc/passwd', path)],
    ['a link to itself', 'link', (path) => symlinkSync(path, path)],
    ['another name of a file', 'hard_link', (path) => linkSync(fileBeside(path), path)],
    ['a file of 1 TB that takes no room', 'sparse', (path) => execFileSync('truncate', ['-s', '1T', path])],
  ])('leaves %s alone, counts it, and reads the others', async (_, reason, make) => {
    const tailed = await startTailed();
    const path = join(tailed.dir, 'a.tsv');
    make(path);
    tailed.write('b.tsv', 'b\n');
    await untilTaken(tailed, ['b']);
    await until(() => tailed.odd(reason) === 1, { timeoutMs: PATIENCE_MS, what: 'its number' });
    await untilLooked(tailed);

    expect(tailed.taken).toEqual(['b']);
    expect([...tailed.warnings]).toEqual(['spill odd']);
    expect(tailed.gauge('spill_waiting_bytes')).toBe(0);
    expect(tailed.gauge('spill_full')).toBe(0);
    rmSync(path, { recursive: true });
    await until(() => tailed.odd(reason) === 0, { timeoutMs: PATIENCE_MS, what: 'it to be forgotten' });
  });

  const byRoot = isRoot ? test : test.skip;

  byRoot('leaves alone what was made elsewhere: it lacks the group that the folder gives', async () => {
    const folder = tailFolder();
    const dir = join(folder, 'spill');
    chownSync(dir, 0, NOBODY);
    chmodSync(dir, 0o2770);
    const moved = join(folder, 'moved.tsv');
    writeFileSync(moved, 'moved\n');
    chownSync(moved, NOBODY, 4711);
    const tailed = await startTailed(folder);
    renameSync(moved, join(dir, 'a.tsv'));
    chownSync(tailed.write('b.tsv', 'b\n'), NOBODY, NOBODY);
    await untilTaken(tailed, ['b']);
    await until(() => tailed.odd('owner') === 1, { timeoutMs: PATIENCE_MS, what: 'its number' });
    chownSync(join(dir, 'a.tsv'), NOBODY, NOBODY);

    await untilTaken(tailed, ['b', 'moved']);
  });

  test.each(['.a.tsv', 'a b.tsv', 'a\nb.tsv', '\u2028.tsv', `${'a'.repeat(200)}.tsv`, 'a.tsv.gz'])(
    'skips the name %j',
    async (name) => {
      const folder = tailFolder();
      writeFileSync(join(folder, 'spill', name), 'a\n');
      const tailed = await startTailed(folder);
      tailed.write('b.tsv', 'b\n');
      await untilTaken(tailed, ['b']);
      await until(() => tailed.odd('name') === 1, { timeoutMs: PATIENCE_MS, what: 'its number' });
    },
  );

  test.each(['full', 'drain', 'report-4711', 'lost+found'])('recognises %s', async (name) => {
    const folder = tailFolder();
    mkdirSync(join(folder, 'spill', name));
    const tailed = await startTailed(folder);
    await untilLooked(tailed);
    expect([...tailed.warnings]).toEqual([]);
  });

  test('reads a file of junk last and slowly, to its end', async () => {
    const folder = tailFolder();
    const junk = join(folder, 'spill', '0.tsv');
    writeFileSync(junk, `${'\n'.repeat(JUNK)}bad\n${'\0'.repeat(1_000_000)}\n`);
    age(junk, 3600);
    const tailed = await startTailed(folder);
    for (let i = 1; i <= 20; i++) {
      tailed.write('b.tsv', `${i}\n`);
      await until(() => tailed.taken.includes(`${i}`), { timeoutMs: PATIENCE_MS, what: 'a line beside it' });
      if (i > 1) continue;
      await until(() => tailed.odd('junk') === 1, { timeoutMs: PATIENCE_MS, what: 'it to be counted' });
      expect(tailed.gauge('spill_waiting_bytes')).toBeLessThan(1_000_000);
    }
    await until(() => !existsSync(junk), { timeoutMs: 5 * PATIENCE_MS, what: 'its removal' });
    expect(tailed.taken).toContain('bad');
    await until(() => tailed.odd('junk') === 0, { timeoutMs: PATIENCE_MS, what: 'it to be forgotten' });
  }, 400_000);

  test('is not blocked by a file without read permission, and reads it when it may', async () => {
    const folder = tailFolder();
    const path = join(folder, 'spill', 'a.tsv');
    writeFileSync(path, 'a\n');
    chmodSync(path, 0);
    becomeNobody(folder);
    const tailed = await startTailed(folder);
    tailed.write('b.tsv', 'b\n');

    await untilTaken(tailed, ['b']);
    expect([...tailed.warnings]).toEqual(['tail file']);
    await until(() => tailed.odd('unreadable') === 1, { timeoutMs: PATIENCE_MS, what: 'its number' });
    expect(tailed.gauge('spill_waiting_bytes')).toBe(0);
  });

  test('creates the folder again when somebody removes it, and reads it', async () => {
    const tailed = await startTailed();
    tailed.write('a.tsv', 'a\n');
    await untilTaken(tailed, ['a']);
    rmSync(tailed.dir, { recursive: true });
    await until(() => existsSync(tailed.dir), { timeoutMs: PATIENCE_MS, what: 'the folder' });
    tailed.write('b.tsv', 'another\n');

    await untilTaken(tailed, ['a', 'another']);
    expect([...tailed.warnings]).toEqual(['spill folder removed']);
  });

  test('reports why the folder cannot be read, until it can', async () => {
    const folder = tailFolder();
    const tailed = await startTailed(folder);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    rmSync(tailed.dir, { recursive: true });
    renameSync(file, tailed.dir);
    // It may look between the two lines above, and then cannot create the folder.
    const isSaid = () => tailed.failure()?.includes('ENOTDIR') === true;
    await until(isSaid, { timeoutMs: PATIENCE_MS, what: 'the failure' });

    rmSync(tailed.dir);
    await until(() => tailed.failure() === undefined, { timeoutMs: PATIENCE_MS, what: 'its end' });
  });

  test(`takes in and removes ${FILES} files, and meanwhile what is being written`, async () => {
    const folder = tailFolder();
    for (let i = 0; i < FILES; i++) {
      const path = join(folder, 'spill', `2026-${String(i).padStart(5, '0')}.tsv`);
      writeFileSync(path, `${i}\n`);
      age(path, 3600);
    }
    const tailed = await startTailed(folder);
    await until(() => tailed.taken.length > 0, { timeoutMs: PATIENCE_MS, what: 'the first' });
    tailed.write('log-now.tsv', 'now\n');
    await until(() => tailed.taken.length === FILES + 1, { timeoutMs: 5 * PATIENCE_MS, what: 'all lines' });
    await until(() => tailed.gauge('spill_files') === 1, { timeoutMs: PATIENCE_MS, what: 'the removal' });

    expect(new Set(tailed.taken).size).toBe(FILES + 1);
    expect(existsSync(join(tailed.dir, 'log-now.tsv'))).toBe(true);
  }, 400_000);
});

test('offsets that cannot be stored (a full disk) do not prevent reading and removing', async () => {
  const folder = tailFolder();
  mkdirSync(join(folder, `offsets.json.${process.pid}.tmp`));
  const tailed = await startTailed(folder);
  const lines = Array.from({ length: 50_000 }, (_, i) => `${i}${'x'.repeat(100)}`);
  const path = tailed.write('a.tsv', `${lines.join('\n')}\n`);
  await untilTaken(tailed, lines);
  age(path, 190);
  await until(() => !existsSync(path), { timeoutMs: PATIENCE_MS, what: 'the removal' });

  expect([...tailed.warnings]).toEqual(['tail offsets']);
});

const MARKERS = ['intake.sock.full', 'spill/full'];

describe.each(MARKERS)('the marker %s', (marker) => {
  test('exists while the folder is full, and is removed when it is emptied', async () => {
    const folder = tailFolder();
    const tailed = await startTailed(folder, { maxBytes: 10 });
    const full = join(folder, marker);
    tailed.write('a.tsv', 'a\n');
    await untilTaken(tailed, ['a']);
    expect(existsSync(full)).toBe(false);

    const path = tailed.write('a.tsv', '12345678\n');
    await untilFull(tailed, 1);
    await until(() => existsSync(full), { timeoutMs: PATIENCE_MS, what: 'the marker' });
    age(path, 190);
    await untilFull(tailed, 0);
    await until(() => !existsSync(full), { timeoutMs: PATIENCE_MS, what: 'its removal' });
  });

  test.each<[string, (path: string, victim: string) => void]>([
    ['a link to a file', (path, victim) => symlinkSync(victim, path)],
    ['a link to nothing', (path) => symlinkSync('nothing', path)],
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
    ['another name of a file', (path, victim) => linkSync(victim, path)],
  ])('is created in place of %s, and nothing else is written to', async (_, make) => {
    const folder = tailFolder();
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'precious');
    make(join(folder, marker), victim);
    const tailed = await startTailed(folder, { maxBytes: 1 });
    const path = tailed.write('a.tsv', 'a\n');
    await untilFull(tailed, 1);
    await until(() => lstatSync(join(folder, marker), { throwIfNoEntry: false })?.isFile(), {
      timeoutMs: PATIENCE_MS,
      what: 'a file',
    });
    age(path, 190);
    await untilFull(tailed, 0);

    await until(() => !existsSync(join(folder, marker)), { timeoutMs: PATIENCE_MS, what: 'its removal' });
    expect(readdirSync(folder)).not.toContain('nothing');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  test('that cannot be created (a full disk) does not prevent reading and removing', async () => {
    const folder = tailFolder();
    mkdirSync(join(folder, marker));
    const tailed = await startTailed(folder, { maxBytes: 1 });
    const path = tailed.write('a.tsv', 'a\n');
    await untilTaken(tailed, ['a']);
    expect([...tailed.warnings]).toContain('spill marker');
    age(path, 190);
    await until(() => !existsSync(path), { timeoutMs: PATIENCE_MS, what: 'the removal' });
  });

  test('is not a folder of that name, which is left alone', async () => {
    const folder = tailFolder();
    mkdirSync(join(folder, marker, 'of'), { recursive: true });
    const tailed = await startTailed(folder);
    tailed.write('a.tsv', 'a\n');

    await untilTaken(tailed, ['a']);
    expect([...tailed.warnings]).toEqual([]);
    expect(tailed.gauge('spill_full')).toBe(0);
  });

  test('of an earlier sidecar is removed when there is room', async () => {
    const folder = tailFolder();
    writeFileSync(join(folder, marker), '');
    await startTailed(folder);
    await until(() => !existsSync(join(folder, marker)), { timeoutMs: PATIENCE_MS, what: 'its removal' });
  });
});

function fileBeside(path: string): string {
  const beside = join(path, '../../beside');
  writeFileSync(beside, 'beside\n');
  return beside;
}

function untilFull(tailed: Tailed, value: number): Promise<boolean> {
  return until(() => tailed.gauge('spill_full') === value, {
    timeoutMs: PATIENCE_MS,
    what: `spill_full ${value}`,
  });
}

/** Root may read everything. */
function becomeNobody(folder: string): void {
  if (!isRoot) return;
  chownSync(folder, NOBODY, NOBODY);
  chownSync(join(folder, 'spill'), NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
}
