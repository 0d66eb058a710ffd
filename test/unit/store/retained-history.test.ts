import { describe, expect, test } from '@jest/globals';
import type { PastRecord, TimeRange } from '../../../store/history.ts';
import { createRetainedHistory } from '../../../store/retained-history.ts';
import { events, open, segmentsIn, take, tempFolder } from './spool-folder.ts';

const MINUTE = 60_000;
const START = 1_000 * MINUTE;
const EVER: TimeRange = { from: 0, to: START * 2 };

describe('a spool as history', () => {
  test('hands over what it holds, with its place, and says what its consumer has still to come to', async () => {
    const spool = await open({ now: () => START });
    await spool.appendLines(events(3));
    await take(spool);
    await spool.close();
    const again = await open({ dir: spool.dir, now: () => START });
    await again.appendLines(events(2, 3));
    const { records, reach } = await read(spool.dir, EVER);
    expect(records.map(({ value }) => String(value))).toEqual(events(5));
    expect(records.map(({ waiting }) => waiting)).toEqual([false, false, false, true, true]);
    const { id: boot } = again.stats();
    expect(records[4]).toMatchObject({
      source: 'spool',
      position: '4',
      received: START,
      place: { node: 'web-1', boot, sequence: 4 },
    });
    expect(reach).toEqual({ since: 0, removedBefore: undefined });
  });

  test('is read from shortly before the range to as late as an event may come', async () => {
    let minute = 0;
    const spool = await open({ now: () => START + minute * MINUTE });
    for (; minute < 10; minute++) await spool.appendLines(events(1, minute));
    const range = { from: START + 3 * MINUTE, to: START + 5 * MINUTE };
    const { records, reach } = await read(spool.dir, range);
    expect(records.map(({ position }) => position)).toEqual(['2', '3', '4', '5', '6']);
    expect(reach).toEqual({ since: START + 2 * MINUTE, removedBefore: undefined });
  });

  test('says from when on it has everything, once something was removed', async () => {
    let minute = 0;
    const spool = await open({ segmentBytes: 400, now: () => START + minute * MINUTE });
    for (; minute < 20; minute++) await spool.appendLines(events(10, minute * 10));
    await take(spool);
    await spool.appendLines(events(10, 200));
    const { records, reach } = await read(spool.dir, EVER);
    expect(Number(records[0]?.position)).toBeGreaterThan(0);
    expect(reach.removedBefore).toBe(records[0]?.received);
  });

  test('says that something was removed also where nothing is left', async () => {
    const spool = await open({ segmentBytes: 400 });
    await spool.appendLines(events(100));
    await take(spool);
    const { records, reach } = await read(spool.dir, EVER);
    expect(records).toEqual([]);
    expect(reach.removedBefore).toEqual(expect.any(Number));
  });

  test('is an error, and makes nothing, where there is no spool', async () => {
    const dir = tempFolder();
    await expect(read(dir, EVER)).rejects.toThrow(`there is no spool in ${dir}`);
    expect(segmentsIn(dir)).toEqual([]);
  });

  async function read(dir: string, range: TimeRange) {
    const history = createRetainedHistory({ dir, cursor: 'a', node: 'web-1', lateMs: 2 * MINUTE });
    const records: PastRecord[] = [];
    const reach = await history.read(range, async (some) => {
      records.push(...some);
    });
    return { records, reach };
  }
});
