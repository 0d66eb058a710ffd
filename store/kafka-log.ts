import type { KafkaClient } from './kafka-client.ts';
import type { Log } from './log.ts';

export type KafkaLogOptions = {
  client: KafkaClient;
  topic: string;
  /** Partitions a consumer works on at once. */
  concurrency: number;
  /** Goes with every event as headers, beside its place in the log that it comes from (`seq`). */
  headers: Record<string, string>;
};

/** A topic as a `Log`: the key of a message is null, so that a sale does not sit on one partition. */
export function createKafkaLog({ client, topic, concurrency, headers }: KafkaLogOptions): Log {
  return {
    append: ({ values, position }) =>
      client.send(
        topic,
        values.map((value, i) => ({ value, headers: { ...headers, seq: position(i) } })),
      ),
    consume: (group, handle) => client.consume({ topic, group, concurrency }, handle),
  };
}
