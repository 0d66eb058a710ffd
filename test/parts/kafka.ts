import type { KafkaVersion } from '../../provision/versions.ts';
import { atAddress } from './address.ts';
import { engineAnswers } from './container.ts';
import { startKafkaContainer } from './kafka-container.ts';
import { startKafkaProcesses } from './kafka-process.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { Part } from './part.ts';
import { record } from './record.ts';

export type KafkaOptions = {
  version?: KafkaVersion;
  brokers?: 1 | 3;
  /** Added to each broker's server.properties. */
  properties?: Record<string, string>;
  /** With further listeners: TLS, and logins by every mechanism. One broker. */
  secured?: boolean;
};

export type KafkaPart = Part & {
  /** `host:port` each. */
  brokers: string[];
  /** Where `secured` was asked for. */
  security?: KafkaSecurity;
  /** Each broker by itself; empty where they cannot be told apart. */
  nodes: KafkaNode[];
};

export type KafkaNode = Pick<Part, 'start' | 'stop' | 'kill' | 'pause' | 'resume' | 'log'> & {
  /** Its `log.dirs`, of a process. */
  data?: string;
};

/**
 * A Kafka to test against: the one that `KAFKA_BROKERS` names, else in a container, else as local processes. Throws
 * where none can be had. Options make it a private one: they leave out the first.
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
