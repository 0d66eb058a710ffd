import type { Consumer, ListCommitsOptions, Offsets } from '@platformatic/kafka';
import type { OffsetReset } from '../offset-reset.ts';

type Callback = (error: Error | null, offsets?: Offsets) => void;

/** Kafka's words for the oldest record, and for what comes after the newest. */
const EARLIEST = -2n;
const LATEST = -1n;

/**
 * @platformatic/kafka does not come back from a committed offset that Kafka no longer has, or does not have yet (the topic was made again, or an
 * unclean election cut it): it asks for that event, is told that there is none, and ends. With this the consumer goes on with the oldest
 * event that exists, as kafkajs does, and reports it.
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
    // Later: committed offsets are before the end.
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
   * Where nothing is committed (below 0) too: the stream would go on with what it has fetched before a rebalance, also of a partition that
   * was another member's in between, and that neither has committed.
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
