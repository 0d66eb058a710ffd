import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { PastRecord, TimeRange } from '../../../../store/history.ts';
import { createRetainedHistory } from '../../../../store/spool/retained-history.ts';
import { until } from '../../../parts/until.ts';
import { events, open, segmentsIn, take, tempFolder } from './folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = 1_000 * MINUTE;
const EVER: TimeRange = { from: 0, to: START * 2 };

describe('a spool as history', () => {
  test('delivers its events with their positions, and reports what its consumer has not read yet', async () => {
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
    expect(reach).toEqual({
      since: 0,
      removedBefore: undefined,
      removedUnread: [],
      unread: undefined,
      forgotten: undefined,
      damage: undefined,
    });
  });

  test('is read from an hour before the range, as clocks are set back, to its end', async () => {
    let hour = 0;
    const spool = await open({ now: () => START + hour * HOUR });
    for (; hour < 10; hour++) await spool.appendLines(events(1, hour));
    const range = { from: START + 3 * HOUR, to: START + 5 * HOUR };
    const { records, reach } = await read(spool.dir, range);
    expect(records.map(({ position }) => position)).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
    expect(reach).toMatchObject({ since: START + 2 * HOUR, removedBefore: undefined });
  });

  test("reports damage, and that its consumer's position is unknown", async () => {
    const spool = await open({ now: () => START });
    await spool.appendLines(events(3));
    await spool.close();
    const segment = join(spool.dir, segmentsIn(spool.dir)[0] ?? '');
    const bytes = readFileSync(segment);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 5) ^ 0xff, bytes.length - 5);
    writeFileSync(segment, Buffer.concat([bytes, bytes.subarray(bytes.length - 5)]));
    writeFileSync(join(spool.dir, 'cursors', 'a'), 'no position');
    const { reach } = await read(spool.dir, EVER);
    expect(reach.damage).toMatch(/^\d+ bytes of the spool are damaged$/);
    expect(reach.unread).toBe('consumer a has no position in the spool');
  });

  test('reports from when on it is complete, after events were removed', async () => {
    let minute = 0;
    const spool = await open({ segmentBytes: 400, now: () => START + minute * MINUTE });
    for (; minute < 20; minute++) await spool.appendLines(events(10, minute * 10));
    await take(spool);
    await spool.appendLines(events(10, 200));
    await until(() => segmentsIn(spool.dir).length === spool.stats().segments, {
      timeoutMs: 60_000,
      what: 'the removal',
    });
    const { records, reach } = await read(spool.dir, EVER);
    expect(Number(records[0]?.position)).toBeGreaterThan(0);
    expect(reach.removedBefore).toBe(records[0]?.received);
  });

  test('reports that it is complete only from when on, after the sidecar removed what it had not read yet', async () => {
    let minute = 0;
    const spool = await open({ segmentBytes: 400, now: () => START + minute * MINUTE });
    for (; minute < 20; minute++) await spool.appendLines(events(10, minute * 10));
    const segments = segmentsIn(spool.dir);
    let isFirst = true;
    const { records, reach } = await read(spool.dir, EVER, () => {
      if (isFirst) for (const name of segments.slice(0, 3)) rmSync(join(spool.dir, name));
      isFirst = false;
    });
    const hole = records.findIndex(({ position }, i) => Number(position) !== i);
    expect(hole).toBeGreaterThan(0);
    expect(reach).toMatchObject({ since: records[hole]?.received, removedBefore: records[hole]?.received });
  });

  test('reports removed events also if nothing is left', async () => {
    const spool = await open({ segmentBytes: 400 });
    await spool.appendLines(events(100));
    await take(spool);
    const { records, reach } = await read(spool.dir, EVER);
    expect(records).toEqual([]);
    expect(reach.removedBefore).toEqual(expect.any(Number));
  });

  test('is an error, and creates nothing, if there is no spool', async () => {
    const dir = tempFolder();
    await expect(read(dir, EVER)).rejects.toThrow(`there is no spool in ${dir}`);
    expect(segmentsIn(dir)).toEqual([]);
  });

  async function read(dir: string, range: TimeRange, onRecords: () => void = () => {}) {
    const history = createRetainedHistory({ dir, cursor: 'a', node: 'web-1' });
    const records: PastRecord[] = [];
    const reach = await history.read(range, async (some) => {
      records.push(...some);
      onRecords();
    });
    return { records, reach };
  }
});
