import { appendFileSync, cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type SegmentFile, type SegmentFiles, segmentFiles } from '../../../../store/spool/file.ts';
import { MAGIC } from '../../../../store/spool/format.ts';
import { FULL } from '../../../parts/full.ts';
import { events, type Opened, open, segmentsIn, take, tempFolder } from './folder.ts';

/** `tears` writes the first half of what it is given, `lies` all of it, before they fail as a disk does. */
type Mood = 'well' | 'fails' | 'tears' | 'lies';

type Action =
  | { do: 'append'; calls: number[] }
  | { do: 'read'; batches: number }
  | { do: 'mood'; mood: Mood; stuck: boolean }
  | { do: 'reopen' }
  | { do: 'crash'; torn: number };

type Disk = { files: SegmentFiles; set(to: { mood: Mood; stuck: boolean }): void };

const WELL = { mood: 'well', stuck: false } as const;

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.nat({ max: 20 }), { maxLength: 4 })
      .map((calls) => ({ do: 'append' as const, calls })),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 5 }).map((batches) => ({ do: 'read' as const, batches })),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('mood' as const),
      mood: fc.constantFrom<Mood>('well', 'well', 'fails', 'tears', 'lies'),
      /** Whether a failed write cannot be taken back either. */
      stuck: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 2, arbitrary: fc.nat({ max: 40 }).map((torn) => ({ do: 'crash' as const, torn })) },
);

/** What was said about each event, and what was read. */
type Books = {
  next: number;
  kept: Map<number, string>;
  refused: Set<string>;
  read: Map<number, string>;
};

test('a spool on a disk that fails, tears and crashes keeps acknowledged events, once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
      const disk = createDisk();
      const books: Books = { next: 0, kept: new Map(), refused: new Set(), read: new Map() };
      let spool = await openOn(disk, tempFolder());
      for (const one of actions) {
        if (one.do === 'mood') disk.set(one);
        if (one.do === 'append') await Promise.all(one.calls.map((count) => append(spool, books, count)));
        if (one.do === 'read') remember(await take(spool, 'reads', one.batches), books.read);
        if (one.do === 'reopen') {
          disk.set(WELL);
          await spool.close();
          spool = await openOn(disk, spool.dir);
        }
        if (one.do === 'crash') spool = await openOn(disk, afterCrash(spool, one.torn));
      }
      disk.set(WELL);
      await expectAllKept(spool, books);
      await spool.close();
    }),
    { numRuns: FULL ? 1_000 : 30 },
  );
}, 600_000);

function openOn({ files }: Disk, dir: string): Promise<Opened> {
  return open({ dir, files, segmentBytes: 250, maxBatchEvents: 7, cursors: ['reads', 'waits'] });
}

async function append(spool: Opened, books: Books, count: number): Promise<void> {
  const lines = events(count, books.next);
  books.next += count;
  try {
    const sequence = await spool.appendLines(lines);
    for (const [i, line] of lines.entries()) books.kept.set(sequence + i, line);
  } catch {
    for (const line of lines) books.refused.add(line);
  }
}

/** Reads all with the consumer that has held everything back. */
async function expectAllKept(spool: Opened, { kept, refused, read }: Books): Promise<void> {
  const all = new Map<number, string>();
  remember(await take(spool, 'waits'), all);
  expect([...all.keys()]).toEqual([...all.keys()].toSorted((a, b) => a - b));
  expect(new Set(all.values()).size).toBe(all.size);
  for (const [sequence, line] of [...kept, ...read])
    expect([sequence, all.get(sequence)]).toEqual([sequence, line]);
  // A write that the disk said it had not made may be found after a crash; nothing else may.
  const others = [...all].filter(([sequence]) => !kept.has(sequence)).map(([, line]) => line);
  expect(others.filter((line) => !refused.has(line))).toEqual([]);
  expect(spool.faults.filter(({ kind }) => kind === 'gap')).toEqual([]);
}

function remember(
  { positions, values }: { positions: number[]; values: string[] },
  into: Map<number, string>,
): void {
  for (const [i, position] of positions.entries()) into.set(position, values[i] ?? '');
}

/** The folder as a process that is killed now leaves it, perhaps with the first bytes of a record that it was writing. */
function afterCrash({ dir }: Opened, torn: number): string {
  const copy = tempFolder();
  cpSync(dir, copy, { recursive: true, filter: (path) => !basename(path).startsWith('lock.') });
  const active = segmentsIn(copy).at(-1) ?? '';
  const record = Buffer.concat([MAGIC, Buffer.alloc(36)]);
  appendFileSync(join(copy, active), record.subarray(0, torn));
  return copy;
}

function createDisk(): Disk {
  let mood: Mood = 'well';
  let stuck = false;
  const wrap = (file: SegmentFile): SegmentFile => ({
    ...file,
    async write(buffer, position) {
      if (mood === 'well') return file.write(buffer, position);
      if (mood === 'tears') await file.write(buffer.subarray(0, buffer.length >> 1), position);
      if (mood === 'lies') await file.write(buffer, position);
      throw new Error('ENOSPC');
    },
    async truncate(bytes) {
      if (stuck) throw new Error('EIO');
      return file.truncate(bytes);
    },
  });
  const files: SegmentFiles = {
    create: async (options) => wrap(await segmentFiles.create(options)),
    open: async (options) => wrap(await segmentFiles.open(options)),
  };
  return {
    files,
    set(to: { mood: Mood; stuck: boolean }) {
      ({ mood, stuck } = to);
    },
  };
}
