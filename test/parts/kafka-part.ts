import type { KafkaVersion } from '../provision/versions.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { Part } from './part.ts';

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
  /** Its `log.dirs` and its log, of a process. */
  data?: string;
  logFile?: string;
};
