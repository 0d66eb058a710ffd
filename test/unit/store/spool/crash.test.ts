import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { FULL } from '../../../parts/full.ts';
import { until } from '../../../parts/until.ts';
import { open, take, tempFolder } from './folder.ts';
import { type SpoolProcess, startSpoolProcess } from './process.ts';

const KILLS = FULL ? 200 : 8;

/** The numbers of all events that the process was told are kept. */
function acknowledged({ lines }: SpoolProcess): number[] {
  return lines.flatMap((line) => {
    const [, from, to] = /^(\d+) (\d+)$/.exec(line) ?? [];
    return from === undefined ? [] : numbers(Number(from), Number(to) + 1);
  });
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

async function readBack(dir: string): Promise<{ read: number[]; faults: string[] }> {
  const spool = await open({ dir });
  const { values } = await take(spool);
  await spool.close();
  return { read: values.map((value) => JSON.parse(value).n), faults: spool.faults.map(({ kind }) => kind) };
}

describe('a process that is killed', () => {
  test(
    'at any moment keeps each acknowledged event, once and in order',
    async () => {
      const dir = tempFolder();
      let first = 0;
      for (let round = 0; round < KILLS; round++) {
        const child = startSpoolProcess('append', { dir, first });
        const enough = 1 + Math.floor(Math.random() * 200);
        await until(() => child.lines.length > enough, {
          timeoutMs: 60_000,
          everyMs: 1,
          what: 'some appends',
        });
        await child.kill();
        const { read, faults } = await readBack(dir);
        const kept = acknowledged(child);
        // The last groups may be kept although the process did not live to say so; nothing else may be there.
        expect(read).toEqual(numbers(first, first + read.length));
        expect(read.length).toBeGreaterThanOrEqual(kept.length);
        expect(new Set(read)).toEqual(new Set([...kept, ...read.slice(kept.length)]));
        expect(faults.filter((kind) => kind !== 'torn')).toEqual([]);
        first += read.length;
      }
    },
    KILLS * 6_000,
  );
});

describe('a full disk', () => {
  test('rejects events, keeps none of them partially, and accepts them when there is room again', async () => {
    const dir = tempFolder();
    const child = startSpoolProcess('append', { dir, limitBlocks: 8 });
    await child.says(/^refused SPOOL_WRITE$/);
    const before = child.lines.length;
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
    await until(() => child.lines.length > before + 100, {
      timeoutMs: 60_000,
      everyMs: 1,
      what: 'further appends',
    });
    await child.kill();
    const { read, faults } = await readBack(dir);
    const found = new Set(read);
    expect(found.size).toBe(read.length);
    expect(acknowledged(child).filter((n) => !found.has(n))).toEqual([]);
    expect(faults.filter((kind) => kind !== 'torn')).toEqual([]);
  }, 30_000);
});
