import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { MAX_PAYLOAD_BYTES, readRecord } from '../../../../store/spool/format.ts';
import { until } from '../../../parts/until.ts';
import { events, open, segmentsIn, take } from './folder.ts';

const soon = { timeoutMs: 60_000, everyMs: 1 };

describe('appending', () => {
  test('returns each event, its bytes unchanged, with its sequence', async () => {
    const spool = await open();
    const lines = ['{"a":1}', '{"ü":"😀"}', '', '{"c":"\\n\\u0000"}'];
    expect(await spool.appendLines(lines)).toBe(0);
    expect(await spool.appendLines(['{"d":1}'])).toBe(4);
    const { values, positions } = await take(spool);
    expect(values).toEqual([...lines, '{"d":1}']);
    expect(positions).toEqual([0, 1, 2, 3, 4]);
  });

  test('accepts the batch of another log', async () => {
    const spool = await open();
    const values = events(3).map((event) => Buffer.from(event));
    await spool.append({ source: 'x', values, position: String });
    expect((await take(spool)).values).toEqual(events(3));
  });

  test('of no events writes nothing', async () => {
    const spool = await open();
    expect(await spool.appendLines([])).toBe(0);
    expect(spool.stats()).toMatchObject({ bytes: 0, nextSequence: 0 });
  });

  test('writes a single append at once, and appends that arrive meanwhile as one group', async () => {
    const spool = await open({ now: () => 1_795_355_712_163 });
    const appended = events(5).map((event) => spool.appendLines([event]));
    expect(await Promise.all(appended)).toEqual([0, 1, 2, 3, 4]);
    const file = readFileSync(join(spool.dir, segmentsIn(spool.dir)[0] ?? ''));
    const first = readRecord(file, 0);
    const second = readRecord(file, 32 + 8);
    const received = 1_795_355_712_163;
    expect(first).toMatchObject({ sequence: 0, count: 1, received, payload: Buffer.from('{"n":0}\n') });
    expect(second).toMatchObject({ sequence: 1, count: 4, received });
  });

  test('keeps the order of many callers', async () => {
    const spool = await open();
    const appended = events(500).map((event, i) => (i % 7 === 0 ? spool.appendLines([event]) : event));
    await Promise.all(appended);
    const { values } = await take(spool);
    expect(values).toEqual(events(500).filter((_, i) => i % 7 === 0));
  });

  test('splits a group that is too large for a record', async () => {
    const spool = await open();
    const large = ['x', 'y', 'z'].map((letter) => letter.repeat(400_000));
    await spool.appendLines([...large, ...events(3)]);
    expect((await take(spool)).values).toEqual([...large, ...events(3)]);
  });

  test('accepts an event that just fits a record', async () => {
    const spool = await open();
    const largest = 'x'.repeat(MAX_PAYLOAD_BYTES - 1);
    await spool.appendLines(['a', largest, 'b']);
    expect((await take(spool)).values).toEqual(['a', largest, 'b']);
  });

  test.each([
    { what: 'with a newline in it', line: 'a\nb' },
    { what: 'that no record can hold', line: 'x'.repeat(MAX_PAYLOAD_BYTES) },
  ])('rejects an event $what', async ({ line }) => {
    const spool = await open();
    const refused = expect.objectContaining({ code: 'SPOOL_EVENT', retriable: false });
    await expect(spool.appendLines(['{}', line])).rejects.toEqual(refused);
    expect(spool.stats()).toMatchObject({ bytes: 0, nextSequence: 0 });
  });

  test.each(['always', '1s', 'never'] as const)('works with fsync %s', async (fsync) => {
    const spool = await open({ fsync, maxBytes: 20_000, segmentBytes: 200 });
    for (let i = 0; i < 20; i++) await spool.appendLines(events(5, i * 5));
    await spool.close();
    expect((await take(await open({ dir: spool.dir, fsync }))).values).toEqual(events(100));
  });

  test('is rejected when the spool is full, and works again when consumers have made room', async () => {
    const spool = await open({ maxBytes: 4000 });
    const full = expect.objectContaining({ code: 'SPOOL_FULL', retriable: true });
    let kept = 0;
    await expect(
      (async () => {
        for (; ; kept += 10) await spool.appendLines(events(10, kept));
      })(),
    ).rejects.toEqual(full);
    expect(spool.stats().bytes).toBeGreaterThan(3500);
    expect(spool.stats().bytes).toBeLessThanOrEqual(4000);
    expect((await take(spool)).values).toEqual(events(kept));
    await until(() => spool.stats().bytes < 2000, { ...soon, what: 'room' });
    await spool.appendLines(events(10, kept));
    expect((await take(spool)).values).toEqual(events(10, kept));
  });

  test('that fills the spool at once does not leave it full forever', async () => {
    const spool = await open({ maxBytes: 4000 });
    await spool.appendLines(['x'.repeat(3900)]);
    await take(spool);
    await until(() => spool.stats().bytes === 0, { ...soon, what: 'room' });
    expect(await spool.appendLines(['y'.repeat(3900)])).toBe(1);
  });
});

describe('segments', () => {
  test('are started by size and removed when every consumer has passed them', async () => {
    const spool = await open({ segmentBytes: 300, cursors: ['a', 'b'] });
    for (let i = 0; i < 30; i++) await spool.appendLines(events(10, i * 10));
    const before = segmentsIn(spool.dir);
    expect(before.length).toBeGreaterThan(10);
    await take(spool, 'a');
    expect(segmentsIn(spool.dir)).toEqual(before);
    expect((await take(spool, 'b')).values).toEqual(events(300));
    expect(segmentsIn(spool.dir)).toHaveLength(1);
    expect(spool.stats()).toMatchObject({ segments: 1, nextSequence: 300 });
  });

  test('wait for a consumer that is configured and has not started', async () => {
    const spool = await open({ segmentBytes: 300, cursors: ['a', 'b'] });
    for (let i = 0; i < 30; i++) await spool.appendLines(events(10, i * 10));
    await take(spool, 'a');
    expect(spool.stats()).toMatchObject({ firstSequence: 0, cursors: { b: { sequence: 0, behind: 300 } } });
  });

  test('do not wait for a consumer that is no longer configured', async () => {
    const { dir, ...first } = await open({ segmentBytes: 300, cursors: ['a', 'b'] });
    for (let i = 0; i < 30; i++) await first.appendLines(events(10, i * 10));
    await first.close();
    await take(await open({ dir, segmentBytes: 300 }));
    expect(segmentsIn(dir)).toHaveLength(1);
  });
});

describe('consuming', () => {
  test('gets what is appended later', async () => {
    const spool = await open();
    const got: string[] = [];
    const consumer = await spool.consume('a', async ({ values }) => {
      got.push(...values.map(String));
    });
    for (let i = 0; i < 5; i++) {
      await spool.appendLines(events(2, i * 2));
      await until(() => got.length === (i + 1) * 2, { ...soon, what: 'the events' });
    }
    await consumer.close(1000);
    expect(got).toEqual(events(10));
  });

  test.each([
    { limit: 'events', options: { maxBatchEvents: 4 }, batches: [4, 4, 2] },
    { limit: 'bytes', options: { maxBatchBytes: 30 }, batches: [4, 4, 2] },
    { limit: 'bytes, even for a larger event', options: { maxBatchBytes: 1 }, batches: Array(10).fill(1) },
  ])('limits a batch by $limit, in the middle of a record', async ({ options, batches }) => {
    const spool = await open(options);
    await spool.appendLines(events(10));
    expect(await take(spool)).toMatchObject({ batches, values: events(10) });
  });

  test('makes one batch of many small records', async () => {
    const spool = await open();
    for (const event of events(50)) await spool.appendLines([event]);
    expect((await take(spool)).batches).toEqual([50]);
  });

  test('waits for a batch to fill if linger is set', async () => {
    const spool = await open({ lingerMs: 100, maxBatchEvents: 3 });
    const batches: number[] = [];
    await spool.consume('a', async ({ values }) => {
      batches.push(values.length);
    });
    for (const event of events(3)) await spool.appendLines([event]);
    await until(() => spool.stats().cursors.a?.behind === 0, { ...soon, what: 'the batch' });
    expect(batches).toEqual([3]);
  });

  test('continues in the middle of a record after a restart', async () => {
    const first = await open({ maxBatchEvents: 7 });
    await first.appendLines(events(20));
    expect((await take(first, 'a', 2)).values).toEqual(events(14));
    await first.close();
    const second = await open({ dir: first.dir });
    expect(await take(second)).toMatchObject({ values: events(6, 14), positions: [14, 15, 16, 17, 18, 19] });
    expect(second.faults).toEqual([]);
  });

  test('gets a batch again until it commits it, and nothing else before', async () => {
    const spool = await open({ maxBatchEvents: 2 });
    await spool.appendLines(events(4));
    const seen: string[][] = [];
    await spool.consume('a', async ({ values }) => {
      seen.push(values.map(String));
      if (seen.length < 3) throw new Error('not yet');
    });
    await until(() => spool.stats().cursors.a?.behind === 0, { ...soon, what: 'all events' });
    expect(seen).toEqual([events(2), events(2), events(2), events(2, 2)]);
    const refused = { kind: 'refused', consumer: 'a', reason: 'not yet' };
    expect(spool.faults).toEqual([refused, refused]);
  });

  test('gets time to finish its batch when it is closed', async () => {
    const spool = await open({ maxBatchEvents: 1 });
    await spool.appendLines(events(2));
    let finish: (() => void) | undefined;
    const handle = () => new Promise<void>((resolve) => (finish = resolve));
    const consumer = await spool.consume('a', handle);
    const finishBatch = await until(() => finish, { ...soon, what: 'the batch' });
    const closed = consumer.close(60_000);
    finishBatch();
    await closed;
    expect(spool.stats().cursors).toEqual({ a: { sequence: 1, behind: 1 } });
  });

  test('that gives up waiting for another attempt as it is closed makes no fault', async () => {
    const spool = await open();
    await spool.appendLines(events(2));
    let waits = false;
    const consumer = await spool.consume('a', (_, { stopping }) => {
      waits = true;
      return setTimeout(60_000, undefined, { signal: stopping });
    });
    await until(() => waits, { ...soon, what: 'the batch' });
    await consumer.close(60_000);
    expect([spool.faults, spool.stats().cursors]).toEqual([[], { a: { sequence: 0, behind: 2 } }]);
  });

  test('is aborted after that time, and gets the batch again', async () => {
    const spool = await open();
    await spool.appendLines(events(2));
    let signal: AbortSignal | undefined;
    const consumer = await spool.consume('a', (_, context) => {
      signal = context.signal;
      return new Promise(() => {});
    });
    await until(() => signal, { ...soon, what: 'the batch' });
    await consumer.close(1);
    expect(signal?.aborted).toBe(true);
    expect((await take(spool)).values).toEqual(events(2));
  });

  test('by two consumers is independent', async () => {
    const spool = await open({ cursors: ['a', 'b'], segmentBytes: 300, maxBatchEvents: 3 });
    for (let i = 0; i < 10; i++) await spool.appendLines(events(10, i * 10));
    const both = await Promise.all([take(spool, 'a'), take(spool, 'b')]);
    expect(both.map(({ values }) => values)).toEqual([events(100), events(100)]);
  });

  test.each(['b', '../a'])('as %s is rejected if no such consumer is configured', async (name) => {
    const spool = await open();
    const refused = expect.objectContaining({ code: 'SPOOL_CONSUMER' });
    await expect(spool.consume(name, async () => {})).rejects.toEqual(refused);
  });

  test('twice under one name is rejected', async () => {
    const spool = await open();
    await spool.consume('a', async () => {});
    const refused = expect.objectContaining({ code: 'SPOOL_CONSUMER' });
    await expect(spool.consume('a', async () => {})).rejects.toEqual(refused);
  });
});

describe('a spool', () => {
  test('keeps its id, its sequences and waiting events over a restart', async () => {
    const first = await open();
    await first.appendLines(events(5));
    const { id } = first.stats();
    await first.close();
    const second = await open({ dir: first.dir });
    expect(id).toMatch(/^[\da-f]{32}$/);
    expect(second.stats()).toMatchObject({ id, nextSequence: 5, cursors: { a: { sequence: 0, behind: 5 } } });
    expect(await second.appendLines(events(1, 5))).toBe(5);
    expect((await take(second)).values).toEqual(events(6));
  });

  test('that is closed has written earlier appends, and accepts no more', async () => {
    const first = await open();
    const appended = events(10).map((event) => first.appendLines([event]));
    await first.close();
    expect(await Promise.all(appended)).toHaveLength(10);
    const closed = expect.objectContaining({ code: 'SPOOL_CLOSED' });
    await expect(first.appendLines(['{}'])).rejects.toEqual(closed);
    await expect(first.consume('a', async () => {})).rejects.toEqual(closed);
    expect((await take(await open({ dir: first.dir }))).values).toEqual(events(10));
  });

  test.each([
    { what: 'nothing', name: '' },
    { what: 'a folder', name: '..' },
    { what: 'a path', name: 'a/b' },
    { what: 'something long', name: 'x'.repeat(101) },
  ])('rejects $what as the name of a consumer', async ({ name }) => {
    await expect(open({ cursors: [name] })).rejects.toMatchObject({ code: 'SPOOL_CONSUMER' });
  });
});
