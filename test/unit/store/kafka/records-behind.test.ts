import { expect, test } from '@jest/globals';
import { recordsBehind } from '../../../../store/kafka/records-behind.ts';

const BOUNDS = [
  { partition: 0, from: 100n, to: 150n },
  { partition: 1, from: 0n, to: 30n },
  { partition: 2, from: 200n, to: 210n },
];

test('counts what is not committed, of each partition what Kafka still has', async () => {
  // Of the second nothing is committed, of the third what retention has removed since.
  const committed = new Map([
    [0, 140n],
    [2, 20n],
  ]);
  const reader = { bounds: async () => BOUNDS, committed: async () => committed };

  expect(await recordsBehind(reader, 'topic', 'group')).toBe(10 + 30 + 10);
});
