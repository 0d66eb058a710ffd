import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer as GroupConsumer, Message, MessagesStream } from '@platformatic/kafka';
import { abortable } from '../../../service/abortable.ts';
import { createBackoff } from '../../../service/backoff.ts';
import type { Batch, Consumer, Handler } from '../../event-log.ts';
import { readableRuns, undecodableIn } from '../../undecodable.ts';
import { createDecodeAttempts } from '../decode-attempts.ts';
import { watchGroup } from '../group-watch.ts';
import type { OffsetReset } from '../offset-reset.ts';
import { MAX_BYTES_PER_PARTITION } from '../timing.ts';
import { type FetchedRecord, fetchRecords } from './fetch.ts';
import { onNewPartitions, refuseUnknownBrokers } from './metadata.ts';
import { passOverRemoved } from './offsets.ts';
import { followShares } from './shares.ts';
import { changeOf } from './stream-change.ts';

export type PlatformaticConsumerOptions = {
  /** Creates a consumer of the group; each is used once. */
  create: () => GroupConsumer;
  topic: string;
  group: string;
  /** Partitions processed at once. */
  concurrency: number;
  handle: Handler;
  /** The topics that the group's members subscribe to. */
  topicsOfGroup: () => Promise<string[]>;
  /** Called with the reason why a batch is redelivered or the consumer was restarted. Returns it in words. */
  onFailure: (error: unknown) => string;
  /** Called when the group did not continue at the offset that it had reached. */
  onReset: (reset: OffsetReset) => void;
};

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;
type Member = {
  consumer: GroupConsumer;
  stream: Stream;
  /** Counts the rebalances of the group. */
  share: () => number;
};
type Fetched = Pick<FetchedRecord, 'offset' | 'timestamp' | 'value'>;

const LEAVE_MS = 2_000;
const MOST_EVENTS = 5_000;
/** Number of messages in the stream at which it stops fetching: any response, even of a few large messages, is enough to continue. */
const ONE_ANSWER = 1;
/** A required field of a commit, which Kafka ignores. */
const UNKNOWN_EPOCH = -1;

/**
 * Joins the group and consumes the topic, see `EventLog.consume`. Rejects if the first attempt fails. After that it continues through any
 * failure: a member that fails is discarded and a new one joins, with back-off.
 */
export async function startPlatformaticConsumer(options: PlatformaticConsumerOptions): Promise<Consumer> {
  const { create, topic, group, concurrency, handle, onFailure, onReset } = options;
  const stopping = new AbortController();
  const aborting = new AbortController();
  // Memberships are kept by the library's own timer.
  const context = { signal: aborting.signal, stopping: stopping.signal, heartbeat: async () => {} };
  let failure: string | undefined;
  let inHand = 0;
  const attempts = createDecodeAttempts(topic, onFailure);
  const foreign = watchGroup({ group, topic, onFailure });
  const first = await join();
  const running = run(first);
  return { failure: () => failure ?? foreign.failure(), close };

  async function join(): Promise<Member> {
    const consumer = create();
    let stream: Stream | undefined;
    passOverRemoved(consumer, onReset);
    const share = followShares(consumer, () => {
      // Everything uncommitted is redelivered, here or elsewhere, in order.
      while (stream !== undefined && stream.read() !== null);
    });
    refuseUnknownBrokers(consumer.connections);
    // An unhandled error event would end the process. On any error, the library silently leaves the group.
    consumer.on('error', giveUp);
    consumer.on('consumer:heartbeat:error', ({ error }) => giveUp(error));
    consumer.on('consumer:group:join', () => foreign.look(options.topicsOfGroup));
    onNewPartitions(consumer, topic, giveUp);
    try {
      stream = await consumer.consume({
        topics: [topic],
        mode: 'committed',
        fallbackMode: 'earliest',
        highWaterMark: ONE_ANSWER,
      });
      // It only fetches while this event has a listener.
      stream.on('readable', () => {});
      stream.on('error', () => {});
      return { consumer, stream, share };
    } catch (error) {
      await leave(consumer);
      throw error;
    }

    /** Once: a discarded member reports nothing more. */
    function giveUp(error: Error): void {
      if (stream?.destroyed) return;
      failure = onFailure(error);
      stream?.destroy(error);
    }
  }

  async function run(member: Member): Promise<void> {
    const backoff = createBackoff({ firstMs: 500, longestMs: 30_000 });
    let current: Member | undefined = member;
    while (!stopping.signal.aborted) {
      try {
        current ??= await join();
        failure = undefined;
        await read(current, () => backoff.reset());
      } catch (error) {
        if (stopping.signal.aborted) break;
        failure = onFailure(error);
        current?.stream.destroy();
        if (current !== undefined) await leave(current.consumer);
        current = undefined;
        await backoff.wait(stopping.signal).catch(() => {});
      }
    }
    if (current !== undefined) await leave(current.consumer);
  }

  /** Rejects when the stream ends. */
  async function read(member: Member, onBatch: () => void): Promise<void> {
    const { stream } = member;
    while (!stopping.signal.aborted) {
      const messages = take(stream);
      if (messages.length > 0) {
        onBatch();
        await deliverAll(member, messages);
        continue;
      }
      if (stream.destroyed) throw stream.errored ?? new Error('the stream of messages has ended');
      await changeOf(stream, stopping.signal);
    }
  }

  async function deliverAll(member: Member, messages: Message[]): Promise<void> {
    const { stream, share } = member;
    const mine = share();
    const isOurs = () => !stream.destroyed && share() === mine;
    const rest = byPartition(messages).entries();
    const work = async () => {
      for (const [partition, some] of rest) await deliver(member.consumer, partition, some, isOurs);
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }

  async function deliver(
    consumer: GroupConsumer,
    partition: number,
    messages: Message[],
    isOurs: () => boolean,
  ): Promise<void> {
    inHand++;
    try {
      for (const run of readableRuns(messages)) {
        const records = await decoded(consumer, partition, run);
        const batch = toBatch(topic, partition, records);
        const isDone = await handled(batch, isOurs);
        const last = run.at(-1)?.offset;
        if (!isDone || last === undefined || !isOurs()) return;
        const offsets = [{ topic, partition, offset: last + 1n, leaderEpoch: UNKNOWN_EPOCH }];
        await consumer.commit({ offsets });
      }
    } finally {
      inHand--;
    }
  }

  /** The run itself, or its replacement if it is fetched again: the stream continues after it. */
  async function decoded(consumer: GroupConsumer, partition: number, run: Fetched[]): Promise<Fetched[]> {
    let records = run;
    while (!stopping.signal.aborted) {
      const undecodable = undecodableIn(records[0]?.value);
      if (undecodable === undefined) break;
      if (!(await attempts.again(partition, undecodable, stopping.signal))) break;
      const { first, last } = undecodable;
      const what = { topic, partition, offset: first, maxBytes: MAX_BYTES_PER_PARTITION };
      const again = await fetchRecords(consumer, what).then(
        ({ records: some }) => some,
        (error) => void onFailure(error),
      );
      const inside = again?.filter(({ offset }) => offset <= last) ?? [];
      if (inside.length > 0) records = inside;
    }
    return records;
  }

  /** False if it was not: this consumer stops, or the assignment was revoked. */
  async function handled(batch: Batch, isOurs: () => boolean): Promise<boolean> {
    const backoff = createBackoff();
    while (!stopping.signal.aborted && isOurs()) {
      try {
        await abortable(aborting.signal, handle(batch, context));
        return true;
      } catch (error) {
        if (aborting.signal.aborted) return false;
        onFailure(error);
        await backoff.wait(stopping.signal).catch(() => {});
      }
    }
    return false;
  }

  async function close(graceMs: number): Promise<void> {
    stopping.abort();
    const timer = setTimeout(() => aborting.abort(), inHand > 0 ? graceMs : 0);
    await running;
    clearTimeout(timer);
    aborting.abort();
  }
}

/** What was fetched. */
function take(stream: Stream): Message[] {
  const messages: Message[] = [];
  while (messages.length < MOST_EVENTS) {
    const message: Message | null = stream.read();
    if (message === null) break;
    messages.push(message);
  }
  return messages;
}

function byPartition(messages: Message[]): Map<number, Message[]> {
  const partitions = new Map<number, Message[]>();
  for (const message of messages) {
    const some = partitions.get(message.partition);
    if (some === undefined) partitions.set(message.partition, [message]);
    else some.push(message);
  }
  return partitions;
}

function toBatch(topic: string, partition: number, messages: Fetched[]): Batch {
  const undecodable = undecodableIn(messages[0]?.value);
  return {
    source: `${topic}/${partition}`,
    // A tombstone has no value; it is not an event, and the sink reports it.
    values: messages.map((message) => message.value ?? Buffer.alloc(0)),
    position: (i) => String(messages[i]?.offset ?? ''),
    time: (i) => timeOf(messages[i]?.timestamp),
    ...(undecodable !== undefined && { undecodable }),
  };
}

/** Kafka's value for no timestamp is -1. */
function timeOf(timestamp: bigint | undefined): number | undefined {
  const time = Number(timestamp ?? -1);
  return time > 0 ? time : undefined;
}

/**
 * Does not wait for an unavailable broker, which detects the missing member by itself. If leaving is rejected (a revoked permission), the
 * library keeps its connections, and could rejoin unnoticed.
 */
async function leave(consumer: GroupConsumer): Promise<void> {
  const left = new Promise<void>((resolve) => consumer.close(true, () => resolve()));
  await Promise.race([left, sleep(LEAVE_MS)]);
  consumer.connections.close(() => {});
}
