import type { Consumer, ListCommitsOptions, Offsets } from '@platformatic/kafka';

type Callback = (error: Error | null, offsets?: Offsets) => void;

/** Kafka's word for the oldest record. */
const EARLIEST = -2n;

/**
 * @platformatic/kafka does not come back from a committed offset whose event Kafka has removed: it asks for that event, is
 * told that there is none, and ends. With this the consumer goes on with the oldest event that is there.
 */
export function passOverRemoved(consumer: Consumer): void {
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
    const [committed, oldest] = await Promise.all([
      list(options),
      consumer.listOffsets({ topics, timestamp: EARLIEST }),
    ]);
    return new Map([...committed].map(([topic, next]) => [topic, notBefore(oldest.get(topic) ?? [], next)]));
  }
}

/** A negative offset stays: nothing is committed. */
function notBefore(oldest: bigint[], next: bigint[]): bigint[] {
  return next.map((offset, partition) => {
    const first = oldest[partition] ?? 0n;
    return offset >= 0n && offset < first ? first : offset;
  });
}
