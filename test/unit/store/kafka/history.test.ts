import { describe, expect, test } from '@jest/globals';
import type { PastRecord, TimeRange } from '../../../../store/history.ts';
import { createKafkaHistory } from '../../../../store/kafka/history.ts';
import type { OffsetRange, TopicReader, TopicRecord } from '../../../../store/kafka/topic-reader.ts';

const HOUR = 3_600_000;
const ALL: TimeRange = { from: 0, to: 100 * HOUR };

// What a broker answers is known; what is made of it is tested here, beside test/integration/verify.test.ts.
describe('a topic as history', () => {
  test('has the position of each record, and which the sinks have not committed', async () => {
    const { records } = await read([record(0, 4), record(1, 0), record(0, 5)], { committed: [[0, 5n]] });
    expect(records.map(({ source, position, waiting }) => [source, position, waiting])).toEqual([
      ['events/0', '4', false],
      ['events/1', '0', true],
      ['events/0', '5', true],
    ]);
  });

  test('finds the position of each event in its headers', async () => {
    const { records } = await read([record(0, 0, { node: 'a', boot: 'b', seq: '7' }), record(0, 1)]);
    expect(records.map(({ place }) => place)).toEqual([{ node: 'a', boot: 'b', sequence: 7 }, undefined]);
  });

  test('finds the positions of consecutive events from the headers of the first, in each partition', async () => {
    const { records } = await read([
      record(0, 0, { node: 'a', boot: 'b', seq: '7', count: '3' }),
      record(1, 0, { node: 'a', boot: 'b', seq: '20', count: '2' }),
      record(0, 1),
      record(0, 2),
      record(1, 1),
      record(0, 3),
    ]);
    expect(records.map(({ place }) => place?.sequence)).toEqual([7, 20, 8, 9, 21, undefined]);
  });

  test.each(['', 'x', '-1', '1.5', '99999999999999999999'])('ignores the position %j', async (seq) => {
    const { records } = await read([record(0, 0, { node: 'a', boot: 'b', seq })]);
    expect(records[0]?.place).toBeUndefined();
  });

  test('is read from an hour before the range, as clocks are set back, to its end', async () => {
    const asked: number[] = [];
    const { ranges } = await read([record(0, 19)], {
      range: { from: 10 * HOUR, to: 12 * HOUR },
      bounds: [{ partition: 0, from: 0n, to: 100n }],
      offsetsAt(time) {
        asked.push(time);
        return new Map([[0, 20n]]);
      },
    });
    expect(asked).toEqual([9 * HOUR]);
    expect(ranges[1]).toEqual([{ partition: 0, from: 20n, to: 100n }]);
  });

  test('is read completely if the last record to be skipped has no time', async () => {
    const { ranges, records } = await read([{ ...record(0, 19), time: -1 }], {
      range: { from: 10 * HOUR, to: 12 * HOUR },
      bounds: [{ partition: 0, from: 3n, to: 100n }],
      offsetsAt: () => new Map([[0, 100n]]),
    });
    expect(ranges.slice(0, 2)).toEqual([
      [{ partition: 0, from: 99n, to: 100n }],
      [{ partition: 0, from: 3n, to: 100n }],
    ]);
    expect(records[0]?.received).toBeUndefined();
  });

  test('is read completely if Kafka would skip a record that is not older than the range', async () => {
    const { ranges } = await read([{ ...record(0, 99), time: 9 * HOUR }], {
      range: { from: 10 * HOUR, to: 12 * HOUR },
      bounds: [{ partition: 0, from: 3n, to: 100n }],
      offsetsAt: () => new Map([[0, 100n]]),
    });
    expect(ranges[1]).toEqual([{ partition: 0, from: 3n, to: 100n }]);
  });

  test('reports records that were removed before the sinks read them, and partitions without commits', async () => {
    const { reach } = await read([], {
      committed: [
        [0, 40n],
        [1, 50n],
      ],
      bounds: [0, 1, 2].map((partition) => ({ partition, from: 50n, to: 60n })),
    });
    expect(reach.removedUnread).toEqual([{ source: 'events/0', first: '40', last: '49' }]);
    expect(reach.unread).toBe('group sinks has committed nothing in events/2');
    expect(reach.forgotten).toBe(
      'it is unknown whether group sinks had read what was removed: events/2 before 50',
    );
  });

  test('reports from where it was read, and what retention removed', async () => {
    expect((await read([])).reach).toMatchObject({ since: 0, removedBefore: undefined });
    const cut = await read([record(0, 50)], {
      range: { from: 0, to: 90 * HOUR },
      bounds: [{ partition: 0, from: 50n, to: 60n }],
    });
    expect(cut.reach).toMatchObject({ since: 1_000, removedBefore: 1_000 });
  });

  type Topic = {
    range?: TimeRange;
    committed?: [number, bigint][];
    bounds?: OffsetRange[];
    offsetsAt?: (time: number) => Map<number, bigint>;
  };

  async function read(there: TopicRecord[], topic: Topic = {}) {
    const { range = ALL, committed = [], offsetsAt = () => new Map() } = topic;
    const bounds = topic.bounds ?? [
      { partition: 0, from: 0n, to: 100n },
      { partition: 1, from: 0n, to: 100n },
    ];
    const ranges: OffsetRange[][] = [];
    const reader: TopicReader = {
      members: async () => [],
      bounds: async () => bounds,
      offsetsAt: async (_, time) => offsetsAt(time),
      committed: async () => new Map(committed),
      async read(_, asked, handle) {
        ranges.push(asked);
        await handle(there);
      },
      deleteBefore: async () => {},
      close: async () => {},
    };
    const history = createKafkaHistory({ reader, topic: 'events', group: 'sinks' });
    const records: PastRecord[] = [];
    const reach = await history.read(range, async (some) => {
      records.push(...some);
    });
    return { records, reach, ranges };
  }

  function record(partition: number, offset: number, headers: Record<string, string> = {}): TopicRecord {
    return { partition, offset: String(offset), time: 1_000, value: Buffer.from('{}'), headers };
  }
});
