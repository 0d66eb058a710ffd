import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from '../../../../../../store/codecs/crc32c.ts';
import {
  createDecodeMessages,
  undecodableOf,
} from '../../../../../../store/kafka/kafkajs/patches/record-decoder.ts';
import { undecodableIn } from '../../../../../../store/undecodable.ts';

// What kafkajs itself writes and reads, without its types: these are its own parts.
const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder');
const Long = require('kafkajs/src/utils/long');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const decodeAsKafkajs = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const decodeMessages = createDecodeMessages(decodeAsKafkajs);

const [CHECKSUM_AT, ATTRIBUTES_AT, FLAGS_AT, COUNT_AT] = [17, 21, 22, 57];
const MB = 1024 * 1024;
const RECORD = { offsetDelta: 0, timestampDelta: 0, key: null, value: Buffer.from('v'), headers: {} };
const FLAGS = { brokerTime: 0x08, transactional: 0x10, control: 0x20 };

const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some));
// kafkajs takes a name that every object has for one that has come before.
const headerName = fc.string({ minLength: 1 }).filter((name) => !(name in {}));
const record = fc.record({
  offsetDelta: fc.nat({ max: 2 ** 31 - 1 }),
  timestampDelta: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(headerName, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 }))),
});
const batch = fc.record({
  records: fc.array(record, { maxLength: 20 }),
  firstOffset: fc.nat({ max: 2 ** 50 }),
  firstTimestamp: fc.nat({ max: 2 ** 45 }),
  compression: fc.constantFrom(0, 1),
  flags: fc.subarray(Object.values(FLAGS)),
});
type Written = typeof batch extends fc.Arbitrary<infer T> ? T : never;

describe('a fetched batch of records', () => {
  test("is decoded as by kafkajs' own decoder", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 3 }), async (written) => {
        const sent = answer(await Promise.all(written.map(encode)));
        const ours = new Decoder(sent);
        const theirs = new Decoder(sent);
        const [records, expected] = await Promise.all([decodeMessages(ours), decodeAsKafkajs(theirs)]);
        expect(ours.offset).toBe(theirs.offset);
        expect(records.map(plain)).toEqual(expected.map(plain));
      }),
    );
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    "as Kafka's client in Java wrote it: %s",
    async (codec) => {
      const bytes = readFileSync(join(import.meta.dirname, '../../../codecs/batches', `${codec}.batch`));
      const records = await decodeMessages(new Decoder(answer([bytes])));
      expect(records.map(({ offset, headers }) => [offset, String(headers.seq)])).toEqual(
        Array.from({ length: 40 }, (_, i) => [String(100 + i), String(i)]),
      );
      expect(JSON.parse(String(records[39]?.value))).toMatchObject({ id: 'java-39' });
    },
  );

  test('may have headers of any name', async () => {
    const headers = { ['__proto__']: Buffer.from('a'), valueOf: Buffer.from('b') };
    const sent = await encode({ ...ONE, records: [{ ...RECORD, headers }] });
    const [record] = await decodeMessages(new Decoder(answer([sent])));
    expect(Object.entries(record?.headers ?? {})).toEqual(Object.entries(headers));
  });

  test('that Kafka truncated is skipped', async () => {
    const [whole, sent] = [await encode(ONE), await encode({ ...ONE, compression: 1 })];
    expect(await decodeMessages(new Decoder(answer([whole, sent.subarray(0, -1)])))).toHaveLength(1);
  });

  test('that cannot be decoded becomes one placeholder record, and stops no other batch', async () => {
    const damaged = await encode({ ...ONE, firstOffset: 2 });
    damaged[damaged.length - 1] = 1;
    const fewer = await encode({ ...ONE, firstOffset: 3 });
    fewer.writeInt32BE(50_000, fewer.length - RECORD_BYTES - 4);
    sign(fewer);
    const [first, second, third, last, ...more] = await decodeMessages(
      new Decoder(answer([await encode(ONE), damaged, fewer, await encode({ ...ONE, firstOffset: 4 })])),
    );
    expect(more).toEqual([]);
    expect([first, last].map((record) => undecodableIn(record?.value))).toEqual([undefined, undefined]);
    expect([first, second, third, last].map((record) => undecodableOf(record))).toEqual([
      undefined,
      undecodableIn(second?.value),
      undecodableIn(third?.value),
      undefined,
    ]);
    expect(second).toMatchObject({ offset: '2', isControlRecord: false });
    expect(undecodableIn(second?.value)).toEqual({
      first: 2n,
      last: 2n,
      reason: 'its checksum is wrong',
      bytes: damaged,
    });
    expect(undecodableIn(third?.value)?.reason).toBe('record 1 of a batch is damaged');
  });
});

describe('batches that decompress to more than fits into memory', () => {
  test('are decoded up to the limit of a response, over all of its partitions; the rest is fetched again', async () => {
    const large = { ...RECORD, value: Buffer.alloc(10 * MB) };
    const sent = await encode({ ...ONE, records: [large], compression: 1 });
    const partitions = new Decoder(Buffer.concat(Array.from({ length: 3 }, () => answer([sent, sent]))));
    const decoded = [];
    for (let i = 0; i < 3; i++) decoded.push(await decodeMessages(partitions));
    expect(decoded.map(({ length }) => length)).toEqual([2, 0, 0]);
    expect(partitions.offset).toBe(partitions.buffer.length);
    expect(await decodeMessages(new Decoder(answer([sent])))).toHaveLength(1);
  });

  test('are undecodable if one batch alone exceeds the limit', async () => {
    const large = await encode({
      ...ONE,
      records: [{ ...RECORD, value: Buffer.alloc(17 * MB) }],
      compression: 1,
    });
    const many = await encode({ ...ONE, firstOffset: 2 });
    many.writeInt32BE(50_001, COUNT_AT);
    const records = await decodeMessages(new Decoder(answer([large, sign(many)])));
    expect(records.map(({ value }) => undecodableIn(value)?.reason)).toEqual([
      'decompressed, it is larger than 16777216 bytes',
      'it has 50001 records, more than 50000',
    ]);
  });

  test('do not make the headers of one record slow', async () => {
    const headers = { a: Array.from({ length: 20_000 }, () => Buffer.from('b')) };
    const sent = await encode({ ...ONE, records: [{ ...RECORD, headers }] });
    const [record] = await decodeMessages(new Decoder(answer([sent])));
    expect(record?.headers.a).toHaveLength(20_000);
  });
});

const ONE: Written = { records: [RECORD], firstOffset: 1, firstTimestamp: 1, compression: 0, flags: [] };
const RECORD_BYTES = 8;

async function encode({
  records,
  firstOffset,
  firstTimestamp,
  compression,
  flags,
}: Written): Promise<Buffer> {
  const { buffer }: { buffer: Buffer } = await RecordBatch({
    compression,
    firstOffset: Long.fromValue(firstOffset),
    firstTimestamp,
    maxTimestamp: firstTimestamp + 1,
    producerId: Long.fromValue(7),
    records: records.map(encodeRecord),
  });
  for (const flag of flags) buffer.writeUInt8(buffer.readUInt8(FLAGS_AT) | flag, FLAGS_AT);
  return sign(buffer);
}

function sign(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CHECKSUM_AT);
  return batch;
}

/** As a partition's batches lie in an answer. */
function answer(batches: Buffer[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(batches.reduce((sum, { length }) => sum + length, 0));
  return Buffer.concat([size, ...batches]);
}

const ASKED = [
  ...(['magicByte', 'attributes', 'key', 'value'] as const),
  ...(['offset', 'timestamp', 'headers', 'isControlRecord'] as const),
];
type Asked = Record<(typeof ASKED)[number], unknown> & {
  batchContext: Record<'inTransaction' | 'producerId', unknown>;
};

/** What kafkajs and this project ask a record for. */
function plain(record: Asked): object {
  const { inTransaction, producerId } = record.batchContext;
  const asked = ASKED.map((name) => [name, record[name]]);
  return { ...Object.fromEntries(asked), inTransaction, producerId };
}
