import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  groupMessages,
  groupMessagesInOnePass,
} from '../../../../../../store/kafka/kafkajs/patches/grouping.ts';

const require = createRequire(import.meta.url);
const ofKafkajs: typeof groupMessages = require('kafkajs/src/producer/groupMessagesPerPartition');

test('messages are grouped as kafkajs groups them, in their order', () => {
  const partitions = fc.array(fc.nat({ max: 7 }), { maxLength: 100 });
  const metadata = fc.array(fc.object(), { maxLength: 3 });
  fc.assert(
    fc.property(partitions, metadata, (chosen, partitionMetadata) => {
      const messages = chosen.map((partition, value) => ({ partition, value }));
      const asked = {
        topic: 'views',
        partitionMetadata,
        messages,
        partitioner: ({ message }: { message: { partition: number } }) => message.partition,
      };
      expect(groupMessages(asked)).toEqual(ofKafkajs(asked));
    }),
  );
});

test('the patch is not applied, and says so, once kafkajs is loaded and keeps its own function', () => {
  require('kafkajs');
  expect(groupMessagesInOnePass()).toBe(false);
});
