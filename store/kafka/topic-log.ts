import type { Batch, EventLog } from '../event-log.ts';
import { type KafkaClient, type KafkaMessage, ROW } from './client.ts';
import type { OffsetReset } from './offset-reset.ts';

export type KafkaLogOptions = {
  client: KafkaClient;
  topic: string;
  /** Partitions a consumer works on at once. */
  concurrency: number;
  /** Where the events come from: `node` and `boot`. */
  headers: Record<string, string>;
  /** Which events have headers: each (by default), or the first of each row. */
  headersOn?: 'event' | 'row';
  /** The key of a message; without it the key is null, so that a sale does not sit on one partition. */
  keyOf?: (value: Buffer) => Buffer | undefined;
  /** Called when a consumer did not continue at the offset that its group had reached. */
  onReset?: (reset: OffsetReset) => void;
};

/**
 * A topic as an `EventLog`.
 *
 * Headers are those given and `seq`, the place of the event in the log that it comes from. On rows, only the first event
 * of each has them, with `count`: how many events follow each other there, itself included. The rest of the row lies
 * directly behind it; a row is in the topic as a whole or not at all.
 */
export function createKafkaLog(options: KafkaLogOptions): EventLog {
  const { client, topic, concurrency, headersOn = 'event', keyOf, onReset } = options;
  // Made once: a client copies bytes faster than it encodes text.
  const headers = Object.fromEntries(
    Object.entries(options.headers).map(([name, value]) => [name, Buffer.from(value)]),
  );
  const toMessages = headersOn === 'event' ? onEach : onRows;
  return {
    append: (batch) => client.send(topic, toMessages(batch)),
    consume: (group, handle) => client.consume({ topic, group, concurrency, onReset }, handle),
  };

  function onEach({ values, position }: Batch): KafkaMessage[] {
    const messages = values.map(
      (value, i): KafkaMessage => ({ value, headers: { ...headers, seq: Buffer.from(position(i)) } }),
    );
    return keyOf === undefined ? messages : messages.map(withKey);
  }

  function withKey(message: KafkaMessage): KafkaMessage {
    const key = keyOf?.(message.value);
    return key === undefined ? message : { ...message, key };
  }

  function onRows({ values, position }: Batch): KafkaMessage[] {
    return values.map((value, i) => {
      if (i % ROW !== 0) return { value };
      const count = Math.min(ROW, values.length - i);
      return {
        value,
        headers: { ...headers, seq: Buffer.from(position(i)), count: Buffer.from(String(count)) },
      };
    });
  }
}
