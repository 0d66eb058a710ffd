import { once } from 'node:events';
import type { EachBatchPayload, Consumer as KafkajsConsumer, KafkaMessage } from 'kafkajs';
import { createBackoff } from '../../../service/backoff.ts';
import { linkSignals } from '../../../service/linked-signal.ts';
import type { Consumer, Handler } from '../../event-log.ts';
import { readableRuns } from '../../undecodable.ts';
import { lateValues } from '../../values.ts';
import { createDecodeAttempts } from '../decode-attempts.ts';
import { watchGroup } from '../group-watch.ts';
import type { OffsetReset } from '../offset-reset.ts';
import { kafkajs } from './library.ts';
import { resetIn } from './patches/offsets.ts';
import { undecodableOf, unpackedSizeOf } from './patches/record-decoder.ts';

export type KafkajsConsumerOptions = {
  /** Creates a consumer of the group; each is used once. */
  create: () => KafkajsConsumer;
  topic: string;
  group: string;
  /** Partitions processed at once. */
  concurrency: number;
  handle: Handler;
  /** Called with the error for which the consumer was restarted. Returns its text. */
  onFailure: (error: unknown) => string;
  /** Called when the group did not continue at the offset that it had reached. */
  onReset: (reset: OffsetReset) => void;
};

const NOTHING = Buffer.alloc(0);
/** Several times what a fetch requests from a partition. */
const LARGE = { records: 20_000, bytes: 8 * 1024 * 1024 };

type Member = {
  consumer: KafkajsConsumer;
  /** Rejects when kafkajs gives up. */
  crashed: Promise<never>;
};

/**
 * Joins the group and consumes the topic, see `EventLog.consume`. Rejects if the first attempt fails. After that it continues through any
 * failure: a member that kafkajs has given up is discarded and a new one joins, with back-off. A batch that cannot be decoded is fetched a
 * few times, and then passed on as undecodable.
 */
export async function startKafkajsConsumer(options: KafkajsConsumerOptions): Promise<Consumer> {
  const { topic, group, concurrency, handle, onFailure, onReset } = options;
  const stopping = new AbortController();
  const aborting = new AbortController();
  const backoff = createBackoff({ firstMs: 500, longestMs: 30_000 });
  const inHand = new Set<Promise<void>>();
  const attempts = createDecodeAttempts(topic, onFailure);
  const foreign = watchGroup({ group, topic, onFailure });
  let failure: string | undefined = 'it has not joined its group yet';
  let current: Member | undefined = await join();
  const running = run();
  return { failure: () => failure ?? foreign.failure(), close };

  async function join(): Promise<Member> {
    const consumer = options.create();
    let assignment = createAssignment();
    consumer.on(consumer.events.GROUP_JOIN, () => {
      // Batches of the old assignment that are still being processed are redelivered, here or elsewhere.
      assignment.revoked.abort(new Error('the partition assignment was revoked'));
      assignment = createAssignment();
      foreign.look(() => topicsOf(consumer));
    });
    consumer.on(consumer.events.FETCH, () => {
      failure = undefined;
      backoff.reset();
    });
    consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
      const reset = resetIn(payload);
      if (reset !== undefined) onReset(reset);
    });
    const crashed = new Promise<never>((_, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        assignment.revoked.abort(payload.error);
        reject(payload.error);
      });
    });
    crashed.catch(() => {});
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: concurrency,
        eachBatch: (payload) => eachBatch(payload, consumer, assignment),
      });
      // A rejected group is a crash event, not an error of `run`.
      await Promise.race([crashed, Promise.resolve()]);
      return { consumer, crashed };
    } catch (error) {
      await consumer.disconnect().catch(() => {});
      throw error;
    }
  }

  async function run(): Promise<void> {
    const stopped = once(stopping.signal, 'abort');
    while (!stopping.signal.aborted) {
      try {
        current ??= await join();
        await Promise.race([current.crashed, stopped]);
      } catch (error) {
        if (stopping.signal.aborted) break;
        failure = onFailure(error);
        await current?.consumer.disconnect().catch(() => {});
        current = undefined;
        await backoff.wait(stopping.signal).catch(() => {});
      }
    }
  }

  function createAssignment(): Assignment {
    const revoked = new AbortController();
    const { signal } = linkSignals(aborting.signal, revoked.signal);
    return { revoked, signal, inHand: new Map(), failed: new Map() };
  }

  /**
   * Returns while the batch is being processed, so that kafkajs fetches the next one, which then waits here. Rejects if the previous batch
   * failed: kafkajs handles the error, and fetches again.
   */
  async function eachBatch(
    payload: EachBatchPayload,
    consumer: KafkajsConsumer,
    assignment: Assignment,
  ): Promise<void> {
    const { batch, resolveOffset, isRunning, isStale } = payload;
    const { partition } = batch;
    await turn(assignment, partition);
    // While stopping, hold new batches until the current ones are done: otherwise kafkajs would fetch them again and again.
    if (stopping.signal.aborted) await Promise.all(inHand);
    if (stopping.signal.aborted || !isRunning() || isStale() || batch.isEmpty()) return;
    assignment.revoked.signal.throwIfAborted();
    const run = firstRun(batch);
    const [first] = run.messages;
    const undecodable = undecodableOf(first);
    if (undecodable !== undefined && (await attempts.again(partition, undecodable, assignment.signal)))
      return;
    const work = deliver(payload, assignment, run).catch(fetchAgain).finally(end);
    inHand.add(work);
    assignment.inHand.set(partition, work);
    resolveOffset(run.last);
    // Memory suffices for one batch of this size, but not for fetching another one meanwhile.
    if (isLarge(run)) await work;

    /** Fetches the batch again, except after a rebalance: each partition then continues at its committed offset. */
    function fetchAgain(error: unknown): void {
      if (assignment.signal.aborted) return;
      assignment.failed.set(partition, error);
      try {
        consumer.seek({ topic, partition, offset: batch.firstOffset() ?? batch.lastOffset() });
      } catch (notThere) {
        // kafkajs has given up this member, and is about to report it.
        assignment.revoked.abort(notThere);
      }
    }

    function end(): void {
      inHand.delete(work);
      assignment.inHand.delete(partition);
    }
  }

  /** One batch per partition at a time, so that commits have no gaps. */
  async function turn({ inHand, failed }: Assignment, partition: number): Promise<void> {
    await inHand.get(partition);
    while (inHand.size >= concurrency) await Promise.race(inHand.values());
    if (!failed.has(partition)) return;
    const error = failed.get(partition);
    failed.delete(partition);
    throw error;
  }

  async function deliver(
    payload: EachBatchPayload,
    assignment: Assignment,
    { messages, last }: Run,
  ): Promise<void> {
    const { batch, commitOffsetsIfNecessary } = payload;
    const undecodable = undecodableOf(messages[0]);
    await handle(
      {
        source: `${topic}/${batch.partition}`,
        // A tombstone has no value; it is not an event, and the sink reports it.
        values: lateValues(messages.length, (i) => messages[i]?.value ?? NOTHING),
        position: (i) => messages[i]?.offset ?? '',
        time: (i) => timeOf(messages[i]?.timestamp),
        ...(undecodable !== undefined && { undecodable }),
      },
      { signal: assignment.signal, stopping: stopping.signal, heartbeat },
    );
    assignment.signal.throwIfAborted();
    const next = (BigInt(last) + 1n).toString();
    // Not consumer.commitOffsets: it wraps errors, and kafkajs then does not notice that the group is rebalancing.
    await commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition: batch.partition, offset: next }] }],
    });

    /** The other members wait for the rebalance: no batch of the revoked assignment may delay it. */
    async function heartbeat(): Promise<void> {
      try {
        await payload.heartbeat();
      } catch (error) {
        // Other errors do not concern the group: only this batch is redelivered.
        if (error instanceof kafkajs.KafkaJSProtocolError && REJOINS.has(error.type))
          assignment.revoked.abort(error);
        throw error;
      }
    }
  }

  async function close(graceMs: number): Promise<void> {
    stopping.abort();
    const timer = setTimeout(() => aborting.abort(), inHand.size > 0 ? graceMs : 0);
    await running;
    await Promise.all(inHand);
    await current?.consumer.disconnect().catch(() => {});
    clearTimeout(timer);
    aborting.abort();
  }
}

const { MemberMetadata } = kafkajs.AssignerProtocol;

/** Kafka's answers to heartbeats, including kafkajs' own, after which kafkajs rejoins its group. */
const REJOINS = new Set([
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
]);

/** The assigned partitions, from one rebalance to the next. */
type Assignment = {
  /** Aborted when they are revoked. */
  revoked: AbortController;
  /** Aborted when they are revoked, or when the consumer must stop. */
  signal: AbortSignal;
  /** The current batch of each partition; settles when it is done or has failed. */
  inHand: Map<number, Promise<void>>;
  /** Why the batch of a partition failed, until the error is thrown to kafkajs. */
  failed: Map<number, unknown>;
};

/** The messages that are processed together: all up to a batch that cannot be decoded, or that batch alone. */
type Run = { messages: KafkaMessage[]; last: string };

function isLarge({ messages }: Run): boolean {
  return messages.length > LARGE.records || unpackedSizeOf(messages.at(-1)) > LARGE.bytes;
}

/** The first run of a fetched batch; kafkajs fetches the rest again. */
function firstRun(batch: EachBatchPayload['batch']): Run {
  const [messages = []] = readableRuns(batch.messages, undecodableOf);
  // After the last message there may be control records, which kafkajs does not return.
  const isWhole = messages.length === batch.messages.length;
  return { messages, last: isWhole ? batch.lastOffset() : (messages.at(-1)?.offset ?? batch.lastOffset()) };
}

/** The topics that the group's members subscribe to. */
async function topicsOf(consumer: KafkajsConsumer): Promise<string[]> {
  const { members } = await consumer.describeGroup();
  return members.flatMap(({ memberMetadata }) => MemberMetadata.decode(memberMetadata)?.topics ?? []);
}

/** Kafka's value for no timestamp is -1. */
function timeOf(timestamp: string | undefined): number | undefined {
  const time = Number(timestamp);
  return time > 0 ? time : undefined;
}
