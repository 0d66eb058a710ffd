import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { batchesIn, toUndecodable } from '../../../../store/kafka/record-batch.ts';
import { offsetsOf, recordsIn } from '../../../../store/undecodable.ts';

/** Offsets 100 to 139, in Kafka's own client's hand. */
const BATCH = readFileSync(join(import.meta.dirname, '../codecs/batches/lz4.batch'));
const [LENGTH_AT, MAGIC_AT, DELTA_AT, COUNT_AT, RECORDS_AT] = [8, 16, 23, 57, 61];

describe('the data fetched from a partition', () => {
  test('is split into its complete batches', () => {
    const fetched = Buffer.concat([BATCH, at(140), BATCH.subarray(0, -1)]);
    expect([...batchesIn(fetched)]).toEqual([{ bytes: BATCH }, { bytes: at(140) }]);
    expect([...batchesIn(BATCH.subarray(0, 60))]).toEqual([]);
  });

  test('a batch with a flipped bit anywhere after its checksum cannot be decoded; the others can', () => {
    for (const place of [DELTA_AT + 3, 30, RECORDS_AT, BATCH.length - 1]) {
      const [first, damaged, last] = batchesIn(Buffer.concat([BATCH, flipped(at(140), place), at(180)]));
      expect(damaged?.undecodable).toMatchObject({
        first: 140n,
        last: 179n,
        reason: 'its checksum is wrong',
      });
      expect([first, last]).toEqual([{ bytes: BATCH }, { bytes: at(180) }]);
    }
  });

  test('if the damaged batch is the last one, its record count tells where it ends', () => {
    const [damaged] = batchesIn(flipped(BATCH, RECORDS_AT));
    expect(damaged?.undecodable).toMatchObject({ first: 100n, last: 139n });
    expect(recordsIn(toUndecodable(BATCH, 'x'))).toBe(40);
    expect(offsetsOf(toUndecodable(BATCH, 'x'))).toBe('100-139');
  });

  test('if its end is unknown it counts as one record, and the data after it is fetched again', () => {
    for (const place of [DELTA_AT, COUNT_AT]) {
      const [damaged] = batchesIn(flipped(BATCH, place));
      expect(damaged?.undecodable).toMatchObject({ first: 100n, last: 100n });
    }
  });

  test('an unknown format and an invalid length are reported, and the bytes kept', () => {
    const format = Buffer.from(BATCH);
    format[MAGIC_AT] = 3;
    expect([...batchesIn(format)]).toMatchObject([
      { undecodable: { reason: 'its format, number 3, is unknown' } },
    ]);
    const length = Buffer.from(BATCH);
    length.writeInt32BE(-1, LENGTH_AT);
    const [found] = batchesIn(length);
    expect(found?.undecodable).toMatchObject({ reason: 'its length is wrong', first: 100n, bytes: length });
  });

  test('a truncated first batch is not one that Kafka truncated: it counts as undecodable, so that consumption continues', () => {
    const longer = Buffer.from(BATCH);
    longer.writeInt32BE(1_000_000, LENGTH_AT);
    expect([...batchesIn(longer)]).toMatchObject([
      { undecodable: { reason: 'its length is wrong', first: 100n, last: 139n } },
    ]);
  });
});

/** The same batch at another offset, which no checksum covers. */
function at(offset: number): Buffer {
  const batch = Buffer.from(BATCH);
  batch.writeBigInt64BE(BigInt(offset));
  return batch;
}

function flipped(batch: Buffer, place: number): Buffer {
  const damaged = Buffer.from(batch);
  damaged[place] = (damaged[place] ?? 0) ^ 0x40;
  return damaged;
}
