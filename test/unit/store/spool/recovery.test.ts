import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAGIC } from '../../../../store/spool/format.ts';
import { FULL, runs } from '../../../parts/full.ts';
import { events, open, segmentsIn, take, tempFolder } from './folder.ts';

/** Of the lengths at which a record is cut, these are tried. A prime number, so that fields of four and eight bytes are cut at each byte. */
const STEP = FULL ? 1 : 5;

/** Three records of ten events in one segment, closed. */
async function threeRecords(options: Parameters<typeof open>[0] = {}) {
  const spool = await open(options);
  const ends: number[] = [];
  for (let i = 0; i < 3; i++) {
    await spool.appendLines(events(10, i * 10));
    ends.push(spool.stats().bytes);
  }
  await spool.close();
  const path = join(spool.dir, segmentsIn(spool.dir)[0] ?? '');
  const [first = 0, second = 0, third = 0] = ends;
  return { dir: spool.dir, path, bytes: readFileSync(path), first, second, third };
}

/** A folder with one segment that holds `bytes`. */
function folderWith(bytes: Buffer): string {
  const dir = tempFolder();
  writeFileSync(join(dir, '00000000000000000000.log'), bytes);
  return dir;
}

describe('the end of a spool', () => {
  test('is cut back to the last complete record, wherever a crash cut the next one', async () => {
    const { bytes, second, third } = await threeRecords();
    for (let length = second + 1; length < third; length += STEP) {
      const spool = await open({ dir: folderWith(bytes.subarray(0, length)) });
      expect(spool.faults).toEqual([{ kind: 'torn', segment: 0, offset: second, bytes: length - second }]);
      expect(spool.stats()).toMatchObject({ nextSequence: 20, tornBytes: length - second, bytes: second });
      expect(await spool.appendLines(['{"new":1}'])).toBe(20);
      expect((await take(spool)).values).toEqual([...events(20), '{"new":1}']);
      await spool.close();
    }
  });

  test('keeps a copy of bytes that are not a record, as after a power cut', async () => {
    const { bytes, third } = await threeRecords();
    const dir = folderWith(Buffer.concat([bytes, Buffer.alloc(5000)]));
    const spool = await open({ dir });
    expect(spool.faults).toEqual([{ kind: 'corrupt', segment: 0, offset: third, bytes: 5000, kept: true }]);
    expect(spool.stats()).toMatchObject({
      nextSequence: 30,
      corruptRecords: 1,
      corruptBytes: 5000,
      bytes: third,
    });
    const [copy = ''] = readdirSync(join(dir, 'quarantine'));
    expect(readFileSync(join(dir, 'quarantine', copy))).toEqual(Buffer.alloc(5000));
  });

  test('is found although the quarantine cannot be created: the copy is optional', async () => {
    const { bytes, third } = await threeRecords();
    const dir = folderWith(Buffer.concat([bytes, Buffer.alloc(5000)]));
    writeFileSync(join(dir, 'quarantine'), '');
    const spool = await open({ dir });

    expect(spool.faults).toEqual([{ kind: 'corrupt', segment: 0, offset: third, bytes: 5000, kept: false }]);
    expect((await take(spool)).values).toEqual(events(30));
  });

  test('is found in the segment before one that was created and not used', async () => {
    const { dir, bytes } = await threeRecords();
    writeFileSync(join(dir, '00000000000000000030.log'), '');
    const spool = await open({ dir });
    expect(spool.stats()).toMatchObject({ nextSequence: 30, bytes: bytes.length, segments: 1 });
    expect((await take(spool)).values).toEqual(events(30));
    expect(spool.faults).toEqual([]);
  });

  test('never reuses a sequence that a lost tail may have had', async () => {
    const { dir, path, second } = await threeRecords();
    truncateSync(path, second + 3);
    writeFileSync(join(dir, '00000000000000000030.log'), '');
    const spool = await open({ dir });
    expect(await spool.appendLines(['{"new":1}'])).toBe(30);
    expect(await take(spool)).toMatchObject({ values: [...events(20), '{"new":1}'] });
    expect(spool.faults).toContainEqual({ kind: 'gap', consumer: 'a', from: 20, to: 30 });
  });
});

describe('damage', () => {
  test('of any byte loses the events of its record, and is counted', async () => {
    const { bytes, first, second } = await threeRecords();
    const anywhere = fc.record({ at: fc.integer({ min: first, max: second - 1 }), bit: fc.nat({ max: 7 }) });
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ at, bit }) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        const spool = await open({ dir: folderWith(damaged) });
        expect((await take(spool)).values).toEqual([...events(10), ...events(10, 20)]);
        expect(spool.stats()).toMatchObject({
          corruptRecords: 1,
          corruptBytes: second - first,
          lostEvents: 10,
        });
        const places = { segment: 0, offset: first, bytes: second - first, kept: true };
        expect(spool.faults).toEqual([
          { kind: 'corrupt', ...places },
          { kind: 'gap', consumer: 'a', from: 10, to: 20 },
        ]);
        await spool.close();
      }),
      { numRuns: runs(100) },
    );
  });

  test('of everything does not stop a spool', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
        const spool = await open({ dir: folderWith(Buffer.from(bytes)) });
        expect(await spool.appendLines(['{"new":1}'])).toBe(0);
        expect((await take(spool)).values).toEqual(['{"new":1}']);
        await spool.close();
      }),
      { numRuns: runs(100) },
    );
  });

  test('at the end of a segment loses nothing of the next one', async () => {
    const first = await open({ segmentBytes: 300 });
    for (let i = 0; i < 8; i++) await first.appendLines(events(10, i * 10));
    await first.close();
    const [oldest = '', next = ''] = segmentsIn(first.dir);
    truncateSync(join(first.dir, oldest), 150);
    const spool = await open({ dir: first.dir });
    const begins = Number.parseInt(next, 10);
    expect((await take(spool)).values).toEqual([...events(10), ...events(80 - begins, begins)]);
    expect(spool.stats()).toMatchObject({ corruptRecords: 1, lostEvents: begins - 10 });
  });

  test('larger than a record is skipped', async () => {
    const { bytes, first, second } = await threeRecords();
    const noise = Buffer.alloc(2_500_000, MAGIC);
    const dir = folderWith(Buffer.concat([bytes.subarray(0, first), noise, bytes.subarray(second)]));
    const spool = await open({ dir });
    expect((await take(spool)).values).toEqual([...events(10), ...events(10, 20)]);
    expect(spool.stats()).toMatchObject({ corruptRecords: 1, corruptBytes: noise.length });
  });

  test('that two consumers meet counts once, and its events once per consumer', async () => {
    const { bytes, first } = await threeRecords();
    bytes[first] = 0;
    const spool = await open({ dir: folderWith(bytes), cursors: ['a', 'b'] });
    await Promise.all([take(spool, 'a'), take(spool, 'b')]);
    expect(spool.stats()).toMatchObject({ corruptRecords: 1, lostEvents: 20 });
  });

  test('beyond the acknowledged end is never read', async () => {
    const spool = await open();
    await spool.appendLines(events(10));
    appendFileSync(join(spool.dir, segmentsIn(spool.dir)[0] ?? ''), 'half a rec');
    expect((await take(spool)).values).toEqual(events(10));
    await spool.appendLines(events(10, 10));
    expect((await take(spool)).values).toEqual(events(10, 10));
    expect(spool.faults).toEqual([]);
  });

  test('by a removed segment is a gap', async () => {
    const first = await open({ segmentBytes: 300 });
    for (let i = 0; i < 12; i++) await first.appendLines(events(10, i * 10));
    await first.close();
    const [, gone = '', next = ''] = segmentsIn(first.dir);
    unlinkSync(join(first.dir, gone));
    const spool = await open({ dir: first.dir });
    const [from, to] = [Number.parseInt(gone, 10), Number.parseInt(next, 10)];
    expect((await take(spool)).values).toEqual([...events(from), ...events(120 - to, to)]);
    expect(spool.faults).toEqual([{ kind: 'gap', consumer: 'a', from, to }]);
  });
});

describe('a cursor', () => {
  test('beyond the last event advances the numbering, not itself', async () => {
    const { dir, path, first } = await threeRecords();
    const ahead = await open({ dir });
    await take(ahead);
    await ahead.close();
    truncateSync(path, first);
    const spool = await open({ dir, cursors: ['a', 'new'] });
    const reason = 'is at 30, but the events end at 10: numbering continues after both';
    expect(spool.faults).toEqual([{ kind: 'cursor', consumer: 'a', reason }]);
    expect(await spool.appendLines(events(5, 30))).toBe(30);
    expect(await take(spool)).toMatchObject({ values: events(5, 30), positions: [30, 31, 32, 33, 34] });
    expect((await take(spool, 'new')).values).toEqual([...events(10), ...events(5, 30)]);
    expect(spool.faults).toContainEqual({ kind: 'gap', consumer: 'new', from: 10, to: 30 });
  });

  test('that was not configured for a while starts at the oldest event: events removed meanwhile are no loss', async () => {
    const first = await open({ segmentBytes: 300, cursors: ['a', 'b'] });
    for (let i = 0; i < 12; i++) await first.appendLines(events(10, i * 10));
    await first.close();
    const without = await open({ dir: first.dir, segmentBytes: 300 });
    await take(without);
    const oldest = without.stats().firstSequence;
    await without.close();
    const spool = await open({ dir: first.dir, cursors: ['a', 'b'] });
    expect(oldest).toBeGreaterThan(0);
    expect(spool.stats().cursors.b).toEqual({ sequence: oldest, behind: 120 - oldest });
    expect((await take(spool, 'b')).values).toEqual(events(120 - oldest, oldest));
    expect(spool.faults).toEqual([]);
  });

  test('that cannot be read starts at the oldest event', async () => {
    const first = await open();
    await first.appendLines(events(10));
    await take(first);
    await first.close();
    writeFileSync(join(first.dir, 'cursors/a'), 'x'.repeat(256));
    const spool = await open({ dir: first.dir });
    expect((await take(spool)).values).toEqual(events(10));
    const reason = 'damaged: continues at the oldest event';
    expect(spool.faults).toEqual([{ kind: 'cursor', consumer: 'a', reason }]);
  });

  test('with one damaged copy uses the other one', async () => {
    const first = await open({ maxBatchEvents: 1 });
    await first.appendLines(events(3));
    await take(first, 'a', 1);
    await take(first, 'a', 1);
    await first.close();
    const path = join(first.dir, 'cursors/a');
    const slots = readFileSync(path, 'latin1').match(/.{127}\n/g) ?? [];
    const latest = slots.findIndex((slot) => slot.startsWith('hotitem-cursor 1 4 '));
    writeFileSync(path, slots.map((slot, i) => (i === latest ? slot.replace(' 4 ', ' 5 ') : slot)).join(''));
    const spool = await open({ dir: first.dir });
    expect((await take(spool)).values).toEqual(events(2, 1));
  });

  test('with a wrong hint finds its event all the same', async () => {
    const first = await open({ maxBatchEvents: 15 });
    for (let i = 0; i < 3; i++) await first.appendLines(events(10, i * 10));
    await take(first, 'a', 1);
    await first.close();
    for (const hint of ['0 7', '0 999999', '5 0', '0 0']) {
      const text = `hotitem-cursor 1 9 15 ${hint}`;
      const crc = crc32(text).toString(16).padStart(8, '0');
      const slot = `${`${text} ${crc}`.padEnd(127)}\n`;
      writeFileSync(join(first.dir, 'cursors/a'), slot + slot);
      const spool = await open({ dir: first.dir });
      expect((await take(spool, 'a')).values).toEqual(events(15, 15));
      expect(spool.faults).toEqual([]);
      await spool.close();
    }
  });
});

describe('the version of the format', () => {
  test('1 can always be read, in its original form', async () => {
    // Magic, crc, version, received, sequence, count, length; then two events.
    const record = [
      ['ff485350', 'CRC', '0001', '01a2038a1aa3', '0000000000000000', '00000002', '00000013'].join(''),
      Buffer.from('{"n":0}\n{"n":"ü"}\n').toString('hex'),
    ].join('');
    const body = Buffer.from(record.slice(record.indexOf('CRC') + 3), 'hex');
    const bytes = Buffer.from(record.replace('CRC', '00000000'), 'hex');
    bytes.writeUInt32BE(crc32(body), 4);
    const dir = folderWith(bytes);
    writeFileSync(join(dir, 'id'), `hotitem-spool 1 ${'0a'.repeat(16)}\n`);
    const spool = await open({ dir });
    expect(spool.stats()).toMatchObject({ id: '0a'.repeat(16), nextSequence: 2 });
    expect((await take(spool)).values).toEqual(['{"n":0}', '{"n":"ü"}']);
  });

  test('that is newer, in a record, is rejected', async () => {
    const { bytes, second } = await threeRecords();
    bytes.writeUInt16BE(2, second + 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(second + 8)), second + 4);
    await expect(open({ dir: folderWith(bytes) })).rejects.toMatchObject({ code: 'SPOOL_VERSION' });
  });

  test('that is newer, in the id, is rejected', async () => {
    const dir = tempFolder();
    writeFileSync(join(dir, 'id'), `hotitem-spool 2 ${'0'.repeat(32)}\n`);
    await expect(open({ dir })).rejects.toMatchObject({ code: 'SPOOL_VERSION' });
  });
});

describe('a segment that somebody truncated', () => {
  test.each([
    ['to nothing', 0],
    ['within a record', 1.5],
    ['behind a record', 2],
  ])(
    '%s while it is in use loses the removed events, counted, and nothing after them',
    async (_, records) => {
      const spool = await open();
      const ends = [0];
      for (let i = 0; i < 3; i++) {
        await spool.appendLines(events(10, i * 10));
        ends.push(spool.stats().bytes);
      }
      const left = Math.floor(records) * 10;
      const cutAt = ((ends[Math.floor(records)] ?? 0) + (ends[Math.ceil(records)] ?? 0)) / 2;
      truncateSync(pathOf(spool.dir), Math.floor(cutAt));
      expect((await take(spool)).values).toEqual(events(left));
      expect(spool.stats().lostEvents).toBe(30 - left);

      expect(await spool.appendLines(events(5, 30))).toBe(30);
      expect((await take(spool)).values).toEqual(events(5, 30));
      expect(spool.stats().lostEvents).toBe(30 - left);
    },
  );

  test('that is not the last loses its own events', async () => {
    const spool = await open({ segmentBytes: 300 });
    for (let i = 0; i < 6; i++) await spool.appendLines(events(10, i * 10));
    const [, second = ''] = segmentsIn(spool.dir);
    const [from, to] = segmentsIn(spool.dir)
      .slice(1, 3)
      .map((name) => Number.parseInt(name, 10));
    truncateSync(join(spool.dir, second), 0);
    const { positions } = await take(spool);

    expect(spool.faults).toContainEqual({ kind: 'gap', consumer: 'a', from, to });
    expect(positions.length + spool.stats().lostEvents).toBe(60);
  });

  test.each([
    ['no consumer had come', 0],
    ['a consumer had come', 10],
  ])(
    'between two starts, to where %s, loses acknowledged events: they are counted, and no sequence is reused',
    async (_, passed) => {
      const first = await open({ maxBatchEvents: 10 });
      for (let i = 0; i < 3; i++) await first.appendLines(events(10, i * 10));
      if (passed > 0) await take(first, 'a', 1);
      await first.close();
      truncateSync(pathOf(first.dir), 0);

      const spool = await open({ dir: first.dir });
      expect(await spool.appendLines(events(5, 30))).toBe(30);
      expect((await take(spool)).values).toEqual(events(5, 30));
      expect(spool.stats().lostEvents).toBe(30 - passed);
    },
  );

  test('does not prevent a spool from opening whose end cannot be stored', async () => {
    const dir = tempFolder();
    mkdirSync(join(dir, 'end'));
    const spool = await open({ dir });
    expect(await spool.appendLines(events(5))).toBe(0);
    expect(spool.faults).toMatchObject([{ kind: 'cursor', consumer: 'end' }]);
  });
});

function pathOf(dir: string): string {
  return join(dir, segmentsIn(dir)[0] ?? '');
}
