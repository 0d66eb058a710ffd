import type { Consumer, EachBatchPayload, IHeaders, KafkaMessage } from 'kafkajs';
import { undecodableIn } from '../../undecodable.ts';
import { isInside, type OffsetRange, type TopicRecord } from '../topic-reader.ts';

/** Longer than a leader election. */
const STALLED_MS = 60_000;
const HEARTBEAT_MS = 2_000;

export type Reading = {
  consumer: Consumer;
  topic: string;
  ranges: OffsetRange[];
  handle: (records: TopicRecord[]) => Promise<void>;
};

/**
 * Resolves when the last record of each range was handled, and rejects if `handle` does. The consumer must be connected and subscribed, and
 * must not be used for anything else.
 */
export function readRanges({ consumer, topic, ranges, handle }: Reading): Promise<void> {
  const left = new Map(ranges.map((range) => [range.partition, range]));
  return new Promise((resolve, reject) => {
    const watch = () => setTimeout(() => reject(new Error('no more records arrive')), STALLED_MS);
    let stalled = watch();
    const settle = (error?: unknown) => {
      clearTimeout(stalled);
      if (error === undefined) resolve();
      else reject(error);
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) settle(payload.error);
    });
    // Nothing is committed: if kafkajs rejoined, it would start over.
    consumer.on(consumer.events.GROUP_JOIN, seek);
    consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }).catch(settle);
    // Stored by kafkajs until it has joined, and applied before its first fetch.
    seek();

    function seek(): void {
      for (const { partition, from } of left.values())
        consumer.seek({ topic, partition, offset: String(from) });
    }

    async function eachBatch({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
      const { partition } = batch;
      const range = left.get(partition);
      if (range === undefined) {
        consumer.pause([{ topic, partitions: [partition] }]);
        return;
      }
      clearTimeout(stalled);
      const records = batch.messages.map((message) => toRecord(partition, message));
      const inside = records.filter((record) => isInside(range, record));
      const beating = setInterval(() => heartbeat().catch(() => {}), HEARTBEAT_MS);
      try {
        if (inside.length > 0) await handle(inside);
      } catch (error) {
        left.clear();
        settle(error);
        return;
      } finally {
        clearInterval(beating);
      }
      stalled = watch();
      resolveOffset(batch.lastOffset());
      const next = BigInt(batch.lastOffset()) + 1n;
      if (next > range.from) left.set(partition, { ...range, from: next });
      if (next < range.to) return;
      left.delete(partition);
      if (left.size === 0) settle();
    }
  });
}

function toRecord(partition: number, { offset, timestamp, value, headers = {} }: KafkaMessage): TopicRecord {
  const undecodable = undecodableIn(value);
  return {
    partition,
    offset,
    time: Number(timestamp),
    value: undecodable === undefined && value !== null ? value : Buffer.alloc(0),
    headers: toTexts(headers),
    ...(undecodable !== undefined && { undecodable }),
  };
}

/** Of a repeated header, the first value counts. */
function toTexts(headers: IHeaders): Record<string, string> {
  const texts = Object.entries(headers).map(([name, value]) => {
    const first = Array.isArray(value) ? value[0] : value;
    return [name, String(first ?? '')] as const;
  });
  return Object.fromEntries(texts);
}
