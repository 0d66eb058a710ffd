import { appendFileSync, readFileSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { MAGIC } from '../../../../store/spool/format.ts';
import { type ReadSpoolOptions, readSpool } from '../../../../store/spool/history.ts';
import { segmentName } from '../../../../store/spool/segments.ts';
import { events, open, segmentsIn, take, tempFolder } from './folder.ts';

const HOUR = 3_600_000;
const EVER = { from: 0 };

/** Ten events an hour, from hour 0 on, each ten in a write of their own; with small segments. */
async function hourly(hours: number) {
  let hour = 0;
  const spool = await open({ segmentBytes: 400, now: () => hour * HOUR });
  for (; hour < hours; hour++) await spool.appendLines(events(10, hour * 10));
  return spool;
}

async function history(options: ReadSpoolOptions) {
  const values: string[] = [];
  const sequences: number[] = [];
  for await (const batch of readSpool(options)) {
    values.push(...batch.values.map(String));
    sequences.push(...batch.values.map((_, i) => batch.first + i));
  }
  return { values, sequences };
}

describe('the history of a spool', () => {
  test('has the events received from a time on, in order, with their sequences', async () => {
    const { dir } = await hourly(20);
    const { values, sequences } = await history({ dir, from: 5 * HOUR });
    expect(values).toEqual(events(150, 50));
    expect(sequences).toEqual(Array.from({ length: 150 }, (_, i) => 50 + i));
  });

  test('does not end at an event that claims to be from 2030', async () => {
    const times = [HOUR, Date.UTC(2030, 0, 1), 2 * HOUR];
    const spool = await open({ now: () => times[0] ?? 0 });
    for (let i = 0; i < 3; i++) {
      await spool.appendLines(events(1, i));
      times.shift();
    }
    expect((await history({ dir: spool.dir, from: HOUR })).values).toEqual(events(3));
  });

  test("can be read while the spool is in use, with each batch's time of receipt", async () => {
    const spool = await hourly(3);
    const received: number[] = [];
    for await (const batch of readSpool({ dir: spool.dir, ...EVER })) received.push(batch.received);
    expect(received).toEqual([0, HOUR, 2 * HOUR]);
    await spool.appendLines(events(1, 30));
    expect((await history({ dir: spool.dir, ...EVER })).values).toEqual(events(31));
  });

  test('lists the segments also if one was just removed', async () => {
    const { dir } = await hourly(20);
    // Named in the folder, and gone when it is asked for its size.
    symlinkSync('gone', join(dir, segmentName(1)));

    expect((await history({ dir, ...EVER })).values).toEqual(events(200));
  });

  test('misses only a segment that is removed while it is read', async () => {
    const { dir } = await hourly(20);
    const [first = '', second = '', third = ''] = segmentsIn(dir);
    const reading = readSpool({ dir, ...EVER });
    const found: number[] = [];
    for await (const { first: sequence } of reading) {
      if (found.length === 0) for (const name of [first, second]) unlinkSync(join(dir, name));
      found.push(sequence);
    }
    const rest = Array.from({ length: 20 }, (_, i) => i * 10).filter(
      (sequence) => sequence < Number.parseInt(second, 10) || sequence >= Number.parseInt(third, 10),
    );
    expect(found).toEqual(rest);
  });

  test('ends before the record that is being written', async () => {
    const { dir } = await hourly(3);
    const active = join(dir, segmentsIn(dir).at(-1) ?? '');
    appendFileSync(active, Buffer.from([0xff, 0x48, 0x53, 0x50, 0, 0]));
    const damaged: unknown[] = [];
    const read = await history({ dir, ...EVER, onDamage: (damage) => damaged.push(damage) });
    expect(read.values).toEqual(events(30));
    expect(damaged).toEqual([]);
  });

  test('ends where a write was rolled back', async () => {
    const { dir } = await hourly(1);
    const active = join(dir, segmentsIn(dir)[0] ?? '');
    const large = Buffer.alloc(3_000_000, 'x');
    appendFileSync(active, large);
    const values: string[] = [];
    for await (const batch of readSpool({ dir, ...EVER })) {
      values.push(...batch.values.map(String));
      truncateSync(active, 32 + 80);
    }
    expect(values).toEqual(events(10));
  });

  test('reports damage and continues after it', async () => {
    const { dir } = await hourly(3);
    const path = join(dir, segmentsIn(dir)[0] ?? '');
    const bytes = readFileSync(path);
    const second = bytes.indexOf(MAGIC, 1);
    const third = bytes.indexOf(MAGIC, second + 1);
    writeFileSync(path, bytes.fill('x', second, second + 10));
    const damaged: unknown[] = [];
    const { values } = await history({ dir, ...EVER, onDamage: (damage) => damaged.push(damage) });
    expect(values).toEqual([...events(10), ...events(10, 20)]);
    expect(damaged).toEqual([{ segment: 0, offset: second, bytes: third - second }]);
  });

  test('of no spool is an error', async () => {
    await expect(history({ dir: join(tempFolder(), 'none'), ...EVER })).rejects.toMatchObject({
      code: 'SPOOL_OPEN',
    });
  });
});

describe('events that every consumer has passed', () => {
  async function passed(options: Parameters<typeof open>[0]) {
    const spool = await open({ segmentBytes: 300, ...options });
    for (let i = 0; i < 30; i++) await spool.appendLines(events(10, i * 10));
    expect((await take(spool)).values).toEqual(events(300));
    return spool;
  }

  test('are kept up to a number of bytes', async () => {
    const spool = await passed({ retainBytes: 1500 });
    const { retainedBytes } = spool.stats();
    expect(retainedBytes).toBeLessThanOrEqual(1500);
    expect(retainedBytes).toBeGreaterThan(1000);
    const { values } = await history({ dir: spool.dir, ...EVER });
    expect(values).toEqual(events(values.length, 300 - values.length));
    expect(values.length).toBeGreaterThan(90);
  });

  test('are kept for a time, also after a restart', async () => {
    let now = Date.now();
    const options = { retainMs: HOUR, segmentBytes: 300, now: () => now };
    const first = await passed(options);
    await first.close();
    const second = await open({ ...options, dir: first.dir });
    expect((await history({ dir: first.dir, ...EVER })).values).toEqual(events(300));
    await second.close();
    now += HOUR + 1000;
    const third = await open({ ...options, dir: first.dir });
    expect(third.stats()).toMatchObject({ segments: 1, retainedBytes: 0 });
  });

  test('are removed for new events, which are not rejected', async () => {
    const spool = await passed({ retainBytes: 1_000_000, maxBytes: 4_000 });
    for (let i = 30; i < 60; i++) {
      await spool.appendLines(events(10, i * 10));
      expect(spool.stats().bytes).toBeLessThanOrEqual(4_000);
    }
    expect((await take(spool)).values).toEqual(events(300, 300));
  });

  test('are not removed while a consumer has not read them', async () => {
    const spool = await open({ maxBytes: 4_000, retainBytes: 1_000_000, cursors: ['a', 'b'] });
    let kept = 0;
    const fill = async () => {
      for (; kept < 1000; kept += 10) await spool.appendLines(events(10, kept));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    await take(spool, 'a');
    await expect(fill()).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    expect((await take(spool, 'b')).values).toEqual(events(kept));
    await fill().catch(() => {});
    expect(kept).toBeGreaterThan(0);
  });
});
