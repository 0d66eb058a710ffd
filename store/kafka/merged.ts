import type { OffsetRange, TopicReader, TopicRecord } from './topic-reader.ts';

/*
 * The partitions of a topic as one stream in the order of time: the next record comes from the partition whose next record is the earliest.
 * A partition is read only when its next record is needed, so at most one response of each is in memory, however much their lengths differ.
 */

export type MergedOptions = {
  reader: Pick<TopicReader, 'read'>;
  topic: string;
  ranges: OffsetRange[];
  /** By which records are ordered. */
  timeOf: (record: TopicRecord) => number;
};

/** Passes the records of all ranges. Rejects as `reader` and `handle` do. */
export async function readMerged(
  { reader, topic, ranges, timeOf }: MergedOptions,
  handle: (record: TopicRecord) => void,
): Promise<void> {
  const partitions = ranges
    .filter(({ from, to }) => from < to)
    .map((range) => createPartition((onRecords) => reader.read(topic, [range], onRecords), timeOf));
  try {
    await Promise.all(partitions.map((one) => one.fill()));
    for (;;) {
      const [first, second] = earliestTwo(partitions);
      if (first === undefined) return;
      // Until another one is earlier, or there is nothing left of what was read.
      const until = second?.time() ?? Number.POSITIVE_INFINITY;
      do handle(first.take());
      while (first.has() && first.time() <= until);
      if (!first.has()) await first.fill();
    }
  } finally {
    for (const one of partitions) one.stop();
  }
}

type Partition = {
  has(): boolean;
  /** Of the next record. */
  time(): number;
  take(): TopicRecord;
  /** Waits for more, or for the end. */
  fill(): Promise<void>;
  stop(): void;
};

class Stopped extends Error {}

function createPartition(
  read: (onRecords: (records: TopicRecord[]) => Promise<void>) => Promise<void>,
  timeOf: (record: TopicRecord) => number,
): Partition {
  let records: TopicRecord[] = [];
  let next = 0;
  let nextTime = 0;
  let isOver = false;
  let isStopped = false;
  let failure: unknown;
  let reading: Promise<void> | undefined;
  /** `readOn` lets the reader continue; `arrived` wakes the consumer that waits for records. */
  let readOn: () => void = () => {};
  let arrived: () => void = () => {};
  return {
    has: () => next < records.length,
    time: () => nextTime,
    take() {
      const record = records[next++];
      if (record === undefined) throw new Error('no record is there');
      look();
      return record;
    },
    async fill() {
      if (isOver) return;
      const coming = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      if (reading === undefined) reading = read(receive).then(end, end);
      else readOn();
      await coming;
      if (failure !== undefined) throw failure;
    },
    stop() {
      isStopped = true;
      readOn();
    },
  };

  function receive(some: TopicRecord[]): Promise<void> {
    if (isStopped) return Promise.reject(new Stopped());
    records = some;
    next = 0;
    look();
    arrived();
    return new Promise((resolve, reject) => {
      readOn = () => (isStopped ? reject(new Stopped()) : resolve());
    });
  }

  function end(error?: unknown): void {
    isOver = true;
    records = [];
    next = 0;
    if (error !== undefined && !(error instanceof Stopped)) failure = error;
    arrived();
  }

  function look(): void {
    const record = records[next];
    if (record !== undefined) nextTime = timeOf(record);
  }
}

function earliestTwo(partitions: Partition[]): [Partition | undefined, Partition | undefined] {
  let first: Partition | undefined;
  let second: Partition | undefined;
  for (const one of partitions) {
    if (!one.has()) continue;
    if (first === undefined || one.time() < first.time()) {
      second = first;
      first = one;
    } else if (second === undefined || one.time() < second.time()) second = one;
  }
  return [first, second];
}
