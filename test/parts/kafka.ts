import { atAddress } from './address.ts';
import { engineAnswers } from './container.ts';
import { startKafkaContainer } from './kafka-container.ts';
import type { KafkaOptions, KafkaPart } from './kafka-part.ts';
import { startKafkaProcesses } from './kafka-process.ts';
import { record } from './record.ts';

export type { KafkaNode, KafkaOptions, KafkaPart } from './kafka-part.ts';

/**
 * A Kafka to test against: the one that `KAFKA_BROKERS` names, else in a container, else local processes. Throws if there
 * is none. With options it is always local processes.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaPart> {
  const part = await provide(options);
  record(part.describe);
  return part;
}

async function provide(options: KafkaOptions): Promise<KafkaPart> {
  if (Object.keys(options).length > 0) return startKafkaProcesses(options);
  const named = process.env.KAFKA_BROKERS;
  if (named) return { ...atAddress(`Kafka at ${named}`), brokers: named.split(','), nodes: [] };
  return (await engineAnswers()) ? startKafkaContainer() : startKafkaProcesses(options);
}
