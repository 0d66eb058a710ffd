import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from '../../../../store/codecs/crc32c.ts';

const ofKafkajs = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/crc32C');

// RFC 3720, B.4, and the check value of "CRC-32C" in the catalogue of G. Cook.
test.each([
  ['00'.repeat(32), 0x8a9136aa],
  ['ff'.repeat(32), 0x62a8ab43],
  [Buffer.from('123456789').toString('hex'), 0xe3069283],
  ['', 0],
])('of %s is the value in the standard', (hex, checksum) => {
  expect(crc32c(Buffer.from(hex, 'hex'))).toBe(checksum);
});

test('is equal to that of kafkajs, for any length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(crc32c(bytes)).toBe(ofKafkajs(Buffer.from(bytes)) >>> 0);
    }),
  );
});
