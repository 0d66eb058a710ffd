import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { keyNumber } from '../../../../store/kafka/key-partition.ts';

// Apache Kafka's own test of its hash: clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
  // Of tulios/kafkajs#357.
  ['100:48069', 1009543857],
])('the number of %s is that of Kafka', (text, hash) => {
  expect(keyNumber(Buffer.from(text))).toBe(hash & 0x7fffffff);
});

test('a key has the same partition as with other clients', () => {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
    partitionId,
    leader: 1,
    partitionErrorCode: 0,
    replicas: [1],
    isr: [1],
  }));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      const key = Buffer.from(bytes);
      const theirs = partitioner({ topic: 't', partitionMetadata, message: { key, value: '' } });
      expect(keyNumber(key) % 7).toBe(theirs);
    }),
  );
});
