import type { KafkaVersion } from '../provision/versions.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { Part } from './part.ts';

export type KafkaOptions = {
  version?: KafkaVersion;
  brokers?: 1 | 3;
  /** Added to each broker's server.properties. */
  properties?: Record<string, string>;
  /** With additional listeners: TLS, and logins with every mechanism. One broker. */
  secured?: boolean;
};

export type KafkaPart = Part & {
  /** `host:port` each. */
  brokers: string[];
  /** Only with `secured`. */
  security?: KafkaSecurity;
  /** Each broker; empty if they cannot be controlled separately. */
  nodes: KafkaNode[];
};

export type KafkaNode = Pick<Part, 'start' | 'stop' | 'kill' | 'pause' | 'resume' | 'log'> & {
  /** Its `log.dirs` and its log, if it is a process. */
  data?: string;
  logFile?: string;
};
