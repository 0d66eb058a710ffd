import type { TopicReader } from '../store/kafka/topic-reader.ts';
import { type Core, kafkaConnection } from './core.ts';

/** Looks into topics of the configured brokers, by the client that is configured. Connects when it is first used. */
export async function connectReader(core: Pick<Core, 'config' | 'warn'>): Promise<TopicReader> {
  // What fails is said once, by the command.
  const connection = { ...kafkaConnection(core), onWarning: () => {} };
  const options = { connection, groupPrefix: core.config.kafka.group };
  if (core.config.kafka.client === 'platformatic') {
    const { createPlatformaticReader } = await import('../store/kafka/platformatic/reader.ts');
    return createPlatformaticReader(options);
  }
  const { createTopicReader } = await import('../store/kafka/kafkajs/reader.ts');
  return createTopicReader(options);
}
