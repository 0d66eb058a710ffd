import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../service/metrics.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';
import { startTail, type Tail } from '../../../sidecar/tail.ts';
import { until } from '../../parts/until.ts';

const tails: Tail[] = [];
afterEach(async () => {
  await Promise.all(tails.splice(0).map((tail) => tail.close()));
});

describe('the tail of the spill folder', () => {
  test('takes in each complete line of each file, while they grow', async () => {
    const { write, taken } = await start();
    write('2026-11-22T15:26.tsv', 'a\nb\nhal');
    write('2026-11-22T15:27.tsv', 'c\n');
    await expectLines(taken, ['a', 'b', 'c']);
    write('2026-11-22T15:26.tsv', 'f\n');
    await expectLines(taken, ['a', 'b', 'c', 'half']);
  });

  test('goes on after a restart where it had come to', async () => {
    const first = await start();
    first.write('a.tsv', 'a\nb\n');
    await expectLines(first.taken, ['a', 'b']);
    await first.tail.close();
    first.write('a.tsv', 'c\n');
    const second = await start(first.folder);
    await expectLines(second.taken, ['c']);
  });

  test('reads the same lines again when they could not be kept', async () => {
    const { write, taken, refuse } = await start();
    refuse(true);
    write('a.tsv', 'a\n');
    await until(() => refuse.count > 1, { timeoutMs: 5000, what: 'two attempts' });
    refuse(false);
    await expectLines(taken, ['a']);
  });

  test('follows a file that is renamed, and begins again with one that is truncated', async () => {
    const { write, taken, folder } = await start();
    write('a.tsv', 'a\nb\n');
    await expectLines(taken, ['a', 'b']);
    renameSync(join(folder, 'spill/a.tsv'), join(folder, 'spill/b.tsv'));
    write('b.tsv', 'c\n');
    await expectLines(taken, ['a', 'b', 'c']);
    truncateSync(join(folder, 'spill/b.tsv'));
    write('b.tsv', 'd\n');
    await expectLines(taken, ['a', 'b', 'c', 'd']);
  });

  test('removes a file once nobody writes to it any more, with a last line that nobody will end', async () => {
    const { write, taken, folder } = await start();
    const path = join(folder, 'spill/a.tsv');
    write('a.tsv', 'a\ntorn');
    await expectLines(taken, ['a']);
    const old = Date.now() / 1000 - 181;
    utimesSync(path, old, old);
    await expectLines(taken, ['a', 'torn']);
    await until(() => !existsSync(path), { timeoutMs: 5000, what: 'the removal' });
    expect(readFileSync(join(folder, 'offsets.json'), 'utf8')).toBe('{}');
  });

  test('takes in more than its buffer holds', async () => {
    const { write, taken } = await start();
    const long = Array.from({ length: 30_000 }, (_, i) => `${i}${'x'.repeat(100)}`);
    write('a.tsv', `${long.join('\n')}\n`);
    await expectLines(taken, long);
  });

  test('begins anew with offsets that are damaged', async () => {
    const { folder, tail, write } = await start();
    await tail.close();
    writeFileSync(join(folder, 'offsets.json'), '{"broken');
    write('a.tsv', 'a\n');
    const { taken } = await start(folder);
    await expectLines(taken, ['a']);
  });
});

async function expectLines(taken: string[], lines: string[]): Promise<void> {
  await until(() => taken.length >= lines.length, { timeoutMs: 10_000, what: `${lines.length} lines` });
  expect(taken).toEqual(lines);
}

async function start(folder = mkdtempSync(join(tmpdir(), 'hotitem-tail-'))) {
  const dir = join(folder, 'spill');
  mkdirSync(dir, { recursive: true });
  const taken: string[] = [];
  let refusing = false;
  const refuse = Object.assign(
    (state: boolean) => {
      refusing = state;
    },
    { count: 0 },
  );
  const tail = await startTail({
    dir,
    offsetsPath: join(folder, 'offsets.json'),
    async takeIn(bytes) {
      if (refusing) {
        refuse.count++;
        throw new Error('full');
      }
      const lines = bytes
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '');
      taken.push(...lines);
      return { lines: lines.length, bad: 0 };
    },
    metrics: createMetrics(new Registry(), SIDECAR_METRICS),
    warn: () => {},
    now: Date.now,
    everyMs: 10,
  });
  tails.push(tail);
  return {
    folder,
    tail,
    taken,
    refuse,
    write: (name: string, text: string) => appendFileSync(join(dir, name), text),
  };
}
