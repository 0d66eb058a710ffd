import { createTopicReader, type TopicReader } from '../store/topic-reader.ts';
import { type Core, kafkaConnection } from './core.ts';

/** Looks into topics of the configured brokers. Connects when it is first used. */
export function connectReader(core: Pick<Core, 'config' | 'warn'>): TopicReader {
  // What fails is said once, by the command.
  const connection = { ...kafkaConnection(core), onWarning: () => {} };
  return createTopicReader({ connection, groupPrefix: core.config.kafka.group });
}
