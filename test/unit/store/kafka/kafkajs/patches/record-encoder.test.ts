import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeRecord,
  encodeRecordsAtOnce,
} from '../../../../../../store/kafka/kafkajs/patches/record-encoder.ts';
import { runs } from '../../../../../parts/full.ts';

// kafkajs' own, without its types.
const require = createRequire(import.meta.url);
const FILE = 'kafkajs/src/protocol/recordBatch/record/v0';
const encodeAsKafkajs = require(FILE);

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some)),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
);

test("a record has the same bytes as from kafkajs' own encoder", () => {
  const record = fc.record(
    {
      offsetDelta: fc.nat({ max: 2 ** 31 - 1 }),
      timestampDelta: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.dictionary(
        fc.string({ unit: 'grapheme' }),
        fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })),
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(record, (one) => {
      expect(encodeRecord(one).buffer).toEqual(encodeAsKafkajs(one).buffer);
    }),
    { numRuns: runs(2_000) },
  );
});

test('kafkajs accepts it as its own', () => {
  encodeRecordsAtOnce();
  expect(require(FILE)).toBe(encodeRecord);
});
