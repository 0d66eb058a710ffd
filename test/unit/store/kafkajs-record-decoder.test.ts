import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBatch } from '../../../store/kafkajs-record-decoder.ts';

// What kafkajs itself writes and reads, without its types: these are its own parts.
const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder');
const Long = require('kafkajs/src/utils/long');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const decodeAsKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder');

const FLAGS_AT = 22;
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

describe('a batch of records that was fetched', () => {
  test('is to kafkajs what its own decoder makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(batch, async (written) => {
        const sent = await encode(written);
        const ours = new Decoder(sent);
        const theirs = new Decoder(sent);
        const [{ records }, expected] = await Promise.all([decodeBatch(ours), decodeAsKafkajs(theirs)]);
        expect(ours.offset).toBe(theirs.offset);
        expect(records.map(plain)).toEqual(expected.records.map(plain));
      }),
    );
  });

  test('may have headers of any name', async () => {
    const headers = { ['__proto__']: Buffer.from('a'), valueOf: Buffer.from('b') };
    const sent = await encode({ ...ONE, records: [{ ...RECORD, headers }] });
    const { records } = await decodeBatch(new Decoder(sent));
    expect(Object.entries(records[0]?.headers ?? {})).toEqual(Object.entries(headers));
  });

  test('that Kafka has cut off is what kafkajs passes over', async () => {
    const sent = await encode({ ...ONE, compression: 1 });
    await expect(decodeBatch(new Decoder(sent.subarray(0, -1)))).rejects.toMatchObject({
      name: 'KafkaJSPartialMessageError',
    });
  });

  test('that holds fewer records than it says is an error, and no end of empty ones', async () => {
    const sent = await encode(ONE);
    sent.writeInt32BE(1_000_000, sent.length - RECORD_BYTES - 4);
    await expect(decodeBatch(new Decoder(sent))).rejects.toThrow('record 1 of a batch is damaged');
  });
});

const RECORD = { offsetDelta: 0, timestampDelta: 0, key: null, value: Buffer.from('v'), headers: {} };
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
  return buffer;
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
