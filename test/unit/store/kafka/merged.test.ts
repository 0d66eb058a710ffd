import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readMerged } from '../../../../store/kafka/merged.ts';
import type { TopicReader, TopicRecord } from '../../../../store/kafka/topic-reader.ts';

/** Of each partition, what each response holds: times of records. */
const partition = fc.array(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 5 }), { maxLength: 6 });

test('all partitions are merged by time, each partition in its own order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(partition, { maxLength: 4 }), async (partitions) => {
      const inOrder = partitions.map((responses) => toSorted(responses));
      const { times } = await merge(inOrder);
      expect(times).toEqual(inOrder.flat(2).sort((a, b) => a - b));
    }),
  );
});

test('nothing is lost if a partition is not ordered by time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(partition, { maxLength: 4 }), async (partitions) => {
      const { records } = await merge(partitions);
      for (const [i, responses] of partitions.entries())
        expect(records.filter((one) => one.partition === i).map(({ time }) => time)).toEqual(
          responses.flat(),
        );
    }),
  );
});

test('no more than one response of a partition is in memory', async () => {
  const { most } = await merge([
    [[1], [2], [3], [4]],
    [[100], [101]],
  ]);
  expect(most).toBe(2);
});

test('a failing reader or handler ends it', async () => {
  const failing = readerOf([[[1]]], new Error('no leader'));
  await expect(readMerged(optionsOf(failing.reader, 1), () => {})).rejects.toThrow('no leader');
  const { reader } = readerOf([[[1], [2]], [[1]]]);
  const handle = () => {
    throw new Error('not ours');
  };
  await expect(readMerged(optionsOf(reader, 2), handle)).rejects.toThrow('not ours');
});

async function merge(partitions: number[][][]) {
  const { reader, most } = readerOf(partitions);
  const records: TopicRecord[] = [];
  await readMerged(optionsOf(reader, partitions.length), (record) => void records.push(record));
  return { records, times: records.map(({ time }) => time), most: most() };
}

function optionsOf(reader: Pick<TopicReader, 'read'>, count: number) {
  const ranges = Array.from({ length: count }, (_, partition) => ({ partition, from: 0n, to: 1n }));
  return { reader, topic: 'views', ranges, timeOf: ({ time }: TopicRecord) => time };
}

/** One response after the other, each when the one before is done with. */
function readerOf(partitions: number[][][], failure?: Error) {
  let held = 0;
  let most = 0;
  const reader: Pick<TopicReader, 'read'> = {
    async read(_topic, [range], handle) {
      const partition = range?.partition ?? 0;
      for (const times of partitions[partition] ?? []) {
        await turn();
        held++;
        most = Math.max(most, held);
        await handle(times.map((time) => record(partition, time)));
        held--;
      }
      if (failure !== undefined) throw failure;
    },
  };
  return { reader, most: () => most };
}

function record(partition: number, time: number): TopicRecord {
  return { partition, offset: '0', time, value: Buffer.alloc(0), headers: {} };
}

function toSorted(responses: number[][]): number[][] {
  const sorted = responses.flat().sort((a, b) => a - b);
  return responses.map((response) => sorted.splice(0, response.length));
}
