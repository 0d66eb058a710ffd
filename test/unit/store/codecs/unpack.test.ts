import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { compressionsAlgorithms } from '@platformatic/kafka';
import fc from 'fast-check';
import { unpackLz4 } from '../../../../store/codecs/lz4.ts';
import { createOutput } from '../../../../store/codecs/output.ts';
import { unpackSnappy } from '../../../../store/codecs/snappy.ts';
import { MOST_UNPACKED, unpack, unpackLater } from '../../../../store/codecs/unpack.ts';
import { unpackZstd } from '../../../../store/codecs/zstd.ts';
import { runs } from '../../../parts/full.ts';

const { lz4, snappy } = compressionsAlgorithms;
const [GZIP, SNAPPY, LZ4, ZSTD] = [1, 2, 3, 4] as const;
const WINDOW_AT = 5;
/** Window of 64 MiB; no checksum and no size. */
const FRAME_HEAD = Buffer.from('28b52ffd0080', 'hex');

/** What was packed into the files `text.*`, by Kafka's own client in Java. */
const TEXT = Array.from({ length: 60_000 }, (_, i) => `${(i * i) % 997} `).join('');

const never = () => undefined;
/** 4 MB of which no part is the repetition of one before. */
const COUNTED = Buffer.from(Array.from({ length: 600_000 }, (_, i) => i).join(' '));

// Repetitions near and far, which overlap or not, and what repeats nothing.
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((some) => Buffer.from(some)),
      fc
        .tuple(fc.string({ maxLength: 12 }), fc.nat({ max: 300 }))
        .map(([text, n]) => Buffer.from(text.repeat(n))),
    ),
    { maxLength: 20 },
  )
  .map((parts) => Buffer.concat(parts));

describe('decompresses what a producer compressed', () => {
  test.each([
    ['text.snappy', SNAPPY],
    ['text.lz4-9', LZ4],
    ['text.zstd-1', ZSTD],
    ['text.zstd-19', ZSTD],
    // With a window of 128 MiB, of which a batch never needs all.
    ['text.zstd-22', ZSTD],
  ] as const)("as Kafka's client in Java wrote it: %s", (name, codec) => {
    expect(String(unpack(codec, fixture(name)))).toBe(TEXT);
  });

  test('lz4 and snappy, any content', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        expect(unpack(LZ4, lz4.compressSync(some)).equals(some)).toBe(true);
        expect(unpack(SNAPPY, snappy.compressSync(some)).equals(some)).toBe(true);
      }),
      { numRuns: runs(250) },
    );
  });

  test('several lz4 and zstd frames in sequence, and skippable frames', () => {
    const skipped = Buffer.from('522a4d1803000000616263', 'hex');
    const frames = Buffer.concat([
      lz4.compressSync(Buffer.from('a')),
      skipped,
      lz4.compressSync(Buffer.from('b')),
    ]);
    expect(String(unpack(LZ4, frames))).toBe('ab');
    const zstd = Buffer.concat([zstdOf(['a']), skipped, zstdOf(['b'])]);
    expect(String(unpack(ZSTD, zstd))).toBe('ab');
  });

  test('lz4 with the wrong checksum of the first Kafka clients', () => {
    const packed = Buffer.from(lz4.compressSync(Buffer.from('abc')));
    const checksumAt = packed.readUInt8(4) & 0x08 ? 14 : 6;
    packed.writeUInt8(packed.readUInt8(checksumAt) ^ 0xff, checksumAt);
    expect(String(unpack(LZ4, packed))).toBe('abc');
  });

  test('lz4 with linked blocks', () => {
    // "abcd" as it is; then 8 bytes from 4 back, and "e".
    const blocks = ['04000080', '61626364', '05000000', '0404001065', '00000000'];
    expect(String(unpack(LZ4, Buffer.from(`04224d18404082${blocks.join('')}`, 'hex')))).toBe('abcdabcdabcde');
  });

  test('gzip, here and in the thread pool', async () => {
    const packed = gzipSync('abc');
    expect(String(unpack(GZIP, packed))).toBe('abc');
    expect(String(await unpackLater(GZIP, packed, never))).toBe('abc');
  });

  test.each([
    ['lz4', LZ4, (some: Buffer) => lz4.compressSync(some)],
    ['snappy', SNAPPY, (some: Buffer) => snappy.compressSync(some)],
    ['zstd', ZSTD, () => zstdOf(Array.from({ length: 50 }, () => 'x'.repeat(80_000)))],
  ] as const)('in pieces, yielding in between: %s', async (_, codec, pack) => {
    let asked = 0;
    const content = codec === ZSTD ? Buffer.alloc(4_000_000, 'x') : COUNTED;
    const packed = pack(content);
    const unpacked = await unpackLater(codec, packed, () => {
      asked++;
      return Promise.resolve();
    });
    expect(unpacked.equals(content)).toBe(true);
    expect(asked).toBeGreaterThanOrEqual(10);
  });
});

describe('a decompression bomb', () => {
  const zeros = Buffer.alloc(200_000);
  test.each([
    ['lz4', unpackLz4, lz4.compressSync(zeros)],
    ['snappy', unpackSnappy, snappy.compressSync(zeros)],
    ['zstd', unpackZstd, zstdOf(Array.from({ length: 50 }, () => 'x'.repeat(4_000)))],
  ] as const)('is aborted at the limit: %s', (_, into, packed) => {
    expect(() => [...into(packed, createOutput({ guess: 100, most: 199_999 }))]).toThrow(
      'larger than 199999 bytes',
    );
    const output = createOutput({ guess: 100, most: 200_000 });
    for (const _ of into(packed, output));
    expect(output.size()).toBe(200_000);
  });

  test('is aborted at the limit: gzip', async () => {
    const packed = gzipSync(Buffer.alloc(MOST_UNPACKED + 1));
    expect(() => unpack(GZIP, packed)).toThrow(`larger than ${MOST_UNPACKED} bytes`);
    await expect(unpackLater(GZIP, packed, never)).rejects.toThrow(`larger than ${MOST_UNPACKED} bytes`);
  });

  test('is aborted before its window is allocated: zstd', () => {
    const frame = zstdOf(Array.from({ length: 600 }, () => 'x'));
    frame[WINDOW_AT] = 0xff;
    expect(() => unpack(ZSTD, frame)).toThrow('larger than');
  });
});

describe('data that is not compressed', () => {
  test.each([SNAPPY, LZ4, ZSTD])('is an error, not an endless loop: codec %i', (codec) => {
    const files = { [SNAPPY]: 'text.snappy', [LZ4]: 'text.lz4-9', [ZSTD]: 'text.zstd-1' };
    const whole = fixture(files[codec] ?? '').subarray(0, 1_600);
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: whole.length }),
        (at, value, end) => {
          const damaged = Buffer.from(whole.subarray(0, end));
          if (at < end) damaged[at] = value;
          try {
            expect(unpack(codec, damaged).length).toBeLessThanOrEqual(MOST_UNPACKED);
          } catch (error) {
            expect(isNativeError(error)).toBe(true);
          }
        },
      ),
    );
  });

  test('with an unknown codec is an error that names its number', () => {
    expect(() => unpack(5, Buffer.from('x'))).toThrow('compression, number 5, is unknown');
  });
});

/** A frame of blocks that are not compressed. */
function zstdOf(blocks: string[]): Buffer {
  const parts = blocks.map((block, i) => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((Buffer.byteLength(block) << 3) | (i === blocks.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([head, Buffer.from(block)]);
  });
  return Buffer.concat([FRAME_HEAD, ...parts]);
}

function fixture(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'batches', name));
}
