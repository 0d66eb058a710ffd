import { expect, test } from '@jest/globals';
import { withoutTombstones } from '../../../sink/tombstones.ts';
import type { Batch, Context, EventLog, Handler } from '../../../store/event-log.ts';

const CONTEXT: Context = {
  signal: new AbortController().signal,
  stopping: new AbortController().signal,
  heartbeat: async () => {},
};

test('skips and counts tombstones; the other records keep their positions and times', async () => {
  const { deliver, handled, counts } = await create();
  await deliver(['a', '', 'b', '']);
  expect(handled).toEqual([
    [
      ['a', '10', 1_000],
      ['b', '12', 1_002],
    ],
  ]);
  expect(counts).toEqual([2]);
});

test('acknowledges a batch of nothing but tombstones', async () => {
  const { deliver, handled, counts } = await create();
  await deliver(['', '']);
  expect(handled).toEqual([]);
  expect(counts).toEqual([2]);
});

test('counts none twice in a batch that is redelivered after a failure', async () => {
  const { deliver, counts } = await create({ fails: true });
  await expect(deliver(['a', ''])).rejects.toThrow('not now');
  expect(counts).toEqual([]);
});

test('does not change undecodable batches', async () => {
  const { deliver, handled, counts } = await create();
  await deliver([''], { first: 10n, last: 10n, reason: 'damaged', bytes: Buffer.alloc(0) });
  expect(handled).toEqual([[['', '10', 1_000]]]);
  expect(counts).toEqual([]);
});

async function create({ fails = false } = {}) {
  const handled: [string, string, number | undefined][][] = [];
  const counts: number[] = [];
  let handler: Handler | undefined;
  const log: EventLog = {
    append: async () => {},
    async consume(_, handle) {
      handler = handle;
      return { failure: () => undefined, close: async () => {} };
    },
  };
  await withoutTombstones(log, (count) => void counts.push(count)).consume('group', async (batch) => {
    if (fails) throw new Error('not now');
    handled.push(batch.values.map((value, i) => [String(value), batch.position(i), batch.time?.(i)]));
  });
  return {
    handled,
    counts,
    async deliver(values: string[], undecodable?: Batch['undecodable']) {
      const batch = {
        source: 't/0',
        values: values.map((value) => Buffer.from(value)),
        position: (i: number) => String(10 + i),
        time: (i: number) => 1_000 + i,
        ...(undecodable !== undefined && { undecodable }),
      };
      await handler?.(batch, CONTEXT);
    },
  };
}
