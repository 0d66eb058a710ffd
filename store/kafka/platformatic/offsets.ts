import type { Consumer, ListCommitsOptions, Offsets } from '@platformatic/kafka';
import type { OffsetReset } from '../offset-reset.ts';

type Callback = (error: Error | null, offsets?: Offsets) => void;

/** Kafka's values for the oldest record, and for the end. */
const EARLIEST = -2n;
const LATEST = -1n;

/**
 * @platformatic/kafka does not recover from a committed offset that Kafka no longer has, or does not have yet (the topic was created again,
 * or an unclean election truncated it): it requests that offset, gets an error, and ends. This makes the consumer continue with the oldest
 * record, as kafkajs does, and reports it.
 */
export function passOverRemoved(consumer: Consumer, onReset: (reset: OffsetReset) => void): void {
  const list = consumer.listCommittedOffsets.bind(consumer);
  Object.assign(consumer, {
    listCommittedOffsets(options: ListCommitsOptions, callback: Callback) {
      ask(options).then(
        (offsets) => callback(null, offsets),
        (error: Error) => callback(error),
      );
    },
  });

  async function ask(options: ListCommitsOptions): Promise<Offsets> {
    const topics = options.topics.map(({ topic }) => topic);
    const committed = await list(options);
    // Read later: committed offsets are before the end.
    const [oldest, latest] = await Promise.all([
      consumer.listOffsets({ topics, timestamp: EARLIEST }),
      consumer.listOffsets({ topics, timestamp: LATEST }),
    ]);
    return new Map(
      [...committed].map(([topic, next]) => [
        topic,
        next.map((from, partition) => inside(partition, from, oldest.get(topic), latest.get(topic))),
      ]),
    );
  }

  /**
   * Also if nothing is committed (below 0): otherwise the stream would continue at what it fetched before a rebalance, even in a partition
   * that another member had in between, and that neither has committed.
   */
  function inside(partition: number, from: bigint, oldest: bigint[] = [], latest: bigint[] = []): bigint {
    const to = oldest[partition] ?? from;
    const end = latest[partition] ?? from;
    if (from < 0n) return to;
    if (from >= to && from <= end) return from;
    onReset({ partition, from, to });
    return to;
  }
}
