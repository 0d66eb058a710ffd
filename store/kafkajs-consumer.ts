import type { EachBatchPayload, Consumer as KafkajsConsumer } from 'kafkajs';
import { createBackoff } from '../service/backoff.ts';
import type { Consumer, Handler } from './log.ts';

export type KafkajsConsumerOptions = {
  /** Makes a consumer of the group; each is used once. */
  create: () => KafkajsConsumer;
  topic: string;
  /** Partitions worked on at once. */
  concurrency: number;
  handle: Handler;
  /** Told why the consumer had to be started anew. */
  onFailure: (error: unknown) => void;
};

/**
 * Joins the group and hands out the topic, see `Log.consume`. Rejects when the first attempt fails. After that it goes on
 * through everything: kafkajs itself comes back from what it calls retriable, and gives up for good on the rest (a batch in a
 * compression that it cannot read, a permission that was taken away); then it is started anew, with back-off.
 */
export async function startKafkajsConsumer(options: KafkajsConsumerOptions): Promise<Consumer> {
  const { topic, concurrency, handle, onFailure } = options;
  const stopping = new AbortController();
  const aborting = new AbortController();
  const backoff = createBackoff({ firstMs: 500, longestMs: 30_000 });
  let failure: string | undefined = 'it has not joined its group yet';
  let inHand = 0;
  let current = await join();
  let restarting: Promise<void> | undefined;
  return { failure: () => failure, close };

  async function join(): Promise<KafkajsConsumer> {
    const consumer = options.create();
    let share = createShare();
    consumer.on(consumer.events.GROUP_JOIN, () => {
      share = createShare();
    });
    consumer.on(consumer.events.FETCH, () => {
      failure = undefined;
      backoff.reset();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (payload.restart || stopping.signal.aborted) return;
      restarting ??= restart(payload.error);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: concurrency,
        eachBatch: (payload) => eachBatch(payload, share),
      });
      return consumer;
    } catch (error) {
      await consumer.disconnect().catch(() => {});
      throw error;
    }
  }

  async function restart(reason: unknown): Promise<void> {
    let error = reason;
    await current.disconnect().catch(() => {});
    while (!stopping.signal.aborted) {
      failure = error instanceof Error ? error.message : String(error);
      onFailure(error);
      try {
        await backoff.wait(stopping.signal);
        current = await join();
        break;
      } catch (next) {
        error = next;
      }
    }
    restarting = undefined;
  }

  function createShare(): Share {
    const lost = new AbortController();
    return { lost, signal: AbortSignal.any([aborting.signal, lost.signal]) };
  }

  async function eachBatch(payload: EachBatchPayload, share: Share): Promise<void> {
    const { batch, resolveOffset, commitOffsetsIfNecessary, isRunning, isStale } = payload;
    if (stopping.signal.aborted || !isRunning() || isStale() || batch.isEmpty()) return;
    share.lost.signal.throwIfAborted();
    const { messages } = batch;
    inHand++;
    try {
      await handle(
        {
          source: `${topic}/${batch.partition}`,
          // A tombstone has no value; it is no event, and the sink says so.
          values: messages.map((message) => message.value ?? Buffer.alloc(0)),
          position: (i) => messages[i]?.offset ?? '',
          time: (i) => timeOf(messages[i]?.timestamp),
        },
        { signal: share.signal, stopping: stopping.signal, heartbeat },
      );
      // kafkajs joins again only when no batch is in hand: what is committed here is still this consumer's.
      resolveOffset(batch.lastOffset());
      const next = (BigInt(batch.lastOffset()) + 1n).toString();
      // Not consumer.commitOffsets: its errors are wrapped, and kafkajs no longer sees that the group is rebalancing.
      await commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition: batch.partition, offset: next }] }],
      });
    } finally {
      inHand--;
    }

    /** The others wait for a new share of the partitions: no batch of the old one, in hand or queued, may hold it up. */
    async function heartbeat(): Promise<void> {
      try {
        await payload.heartbeat();
      } catch (error) {
        share.lost.abort(error);
        throw error;
      }
    }
  }

  async function close(graceMs: number): Promise<void> {
    stopping.abort();
    const timer = setTimeout(() => aborting.abort(), inHand > 0 ? graceMs : 0);
    await restarting;
    await current.disconnect().catch(() => {});
    clearTimeout(timer);
    aborting.abort();
  }
}

/** What the group has given to this consumer, from one sharing out to the next. */
type Share = {
  /** Aborted when it has to be given back. */
  lost: AbortController;
  /** Aborted then, or when the consumer has to end. */
  signal: AbortSignal;
};

/** Kafka's word for no time is -1. */
function timeOf(timestamp: string | undefined): number | undefined {
  const time = Number(timestamp);
  return time > 0 ? time : undefined;
}
