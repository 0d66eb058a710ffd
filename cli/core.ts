import type { DestinationStream } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../service/config.ts';
import { createLog, createRepeatedWarning, type Log } from '../service/log.ts';
import { createRegistry } from '../service/metrics.ts';
import { createShutdown, type Shutdown } from '../service/shutdown.ts';
import type { KafkaClient } from '../store/kafka-client.ts';
import { createKafkajsClient } from '../store/kafkajs.ts';

/** What every part of one process shares. */
export type Core = {
  config: Config;
  log: Log;
  registry: Registry;
  shutdown: Shutdown;
  now: () => number;
  /** A warning that may come many times a second, written once a minute for each `key`. */
  warn: (key: string, message: string, fields?: object) => void;
  /** How long a consumer may work on the batch in its hand when everything stops. */
  graceMs: number;
};

export function createCore(config: Config, destination?: DestinationStream): Core {
  const log = createLog(config.log.level, destination);
  const shutdown = createShutdown({ deadlineMs: config.shutdown_seconds * 1000, log });
  return {
    config,
    log,
    registry: createRegistry(),
    shutdown,
    now: Date.now,
    warn: createRepeatedWarning(log),
    graceMs: (config.shutdown_seconds * 1000) / 2,
  };
}

/** A client of the configured brokers. Connects when it is first used. */
export function connectKafka({ config, warn }: Pick<Core, 'config' | 'warn'>): KafkaClient {
  return createKafkajsClient({
    brokers: config.kafka.brokers,
    clientId: `hotitem-${config.node}`,
    onWarning: (message) => warn('kafka client', 'from the Kafka client', { reason: message }),
  });
}
