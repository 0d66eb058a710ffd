import { connectReader } from '../app/connect-kafka.ts';
import type { Core } from '../app/core.ts';
import { reasonOf } from '../service/log.ts';
import { Trouble } from '../service/trouble.ts';
import { KafkaError, type KafkaFailure } from '../store/kafka/error.ts';
import { recordsBehind } from '../store/kafka/records-behind.ts';
import type { GroupMember, TopicReader } from '../store/kafka/topic-reader.ts';
import { withinTime } from './within-time.ts';

export type KafkaState = {
  brokers: string[];
  topic: TopicState;
  deadLetterTopic: TopicState;
  /** Undefined if heat detection is off. */
  decisionTopic?: TopicState;
  group: GroupState;
};

export type TopicState = { name: string } & ({ partitions: number } | { problem: KafkaProblem });

export type GroupState = {
  name: string;
  /** Undefined if this login may not see them. */
  members: GroupMember[] | undefined;
  /** Events in the topic that the group has not committed; undefined if unknown. */
  behind: number | undefined;
};

export type KafkaProblem = { failure: KafkaFailure; reason: string; hint?: string | undefined };

const PATIENCE_MS = 12_000;

/** Topics and consumer group as the brokers report them; undefined if no brokers are configured. */
export async function askKafka(core: Core): Promise<KafkaState | undefined> {
  const { brokers, topic, dead_letter_topic, decision_topic, group } = core.config.kafka;
  const isTold = core.config.heat.enabled;
  if (!core.parts.kafka) return undefined;
  let reader: TopicReader | undefined;
  try {
    reader = await connectReader(core);
    const first = await askTopic(reader, topic);
    // If the brokers do not answer, they are asked only once.
    const isThere = !('problem' in first) || first.problem.failure === 'topic_missing';
    // One after the other: while kafkajs is asked for a topic that is missing, it fails what else it is asked.
    const state = isThere
      ? await askGroup(reader, topic, group)
      : { name: group, members: undefined, behind: undefined };
    const second = isThere
      ? await askTopic(reader, dead_letter_topic)
      : { ...first, name: dead_letter_topic };
    const third =
      isTold && isThere ? await askTopic(reader, decision_topic) : { ...first, name: decision_topic };
    return {
      brokers,
      topic: first,
      deadLetterTopic: second,
      ...(isTold && { decisionTopic: third }),
      group: state,
    };
  } catch (error) {
    // The CA file cannot be read.
    const hint = error instanceof Trouble ? error.hint : undefined;
    const problem: KafkaProblem = { failure: 'tls', reason: reasonOf(error), hint };
    return {
      brokers,
      topic: { name: topic, problem },
      deadLetterTopic: { name: dead_letter_topic, problem },
      ...(isTold && { decisionTopic: { name: decision_topic, problem } }),
      group: { name: group, members: undefined, behind: undefined },
    };
  } finally {
    await reader?.close();
  }
}

/** Events in the topic that the group of the sinks has not committed. Rejects if Kafka does not say. */
export async function askBehind(core: Core): Promise<number> {
  const { topic, group } = core.config.kafka;
  const reader = await connectReader(core);
  return withinTime(PATIENCE_MS, recordsBehind(reader, topic, group)).finally(() => reader.close());
}

async function askTopic(reader: TopicReader, name: string): Promise<TopicState> {
  try {
    const found = await withinTime(PATIENCE_MS, reader.bounds(name));
    return { name, partitions: found.length };
  } catch (error) {
    return { name, problem: toProblem(error) };
  }
}

async function askGroup(reader: TopicReader, topic: string, group: string): Promise<GroupState> {
  const [members, behind] = await Promise.all([
    withinTime(PATIENCE_MS, reader.members(group)).catch(() => undefined),
    withinTime(PATIENCE_MS, recordsBehind(reader, topic, group)).catch(() => undefined),
  ]);
  return { name: group, members, behind };
}

function toProblem(error: unknown): KafkaProblem {
  if (error instanceof KafkaError)
    return { failure: error.failure, reason: reasonOf(error), hint: error.hint };
  return { failure: 'unreachable', reason: reasonOf(error) };
}
