import { readFileSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../service/config/config.ts';
import { createLog, createRepeatedWarning, type Log, reasonOf } from '../service/log.ts';
import { createRegistry } from '../service/metrics.ts';
import { createShutdown, type Shutdown } from '../service/shutdown.ts';
import { Trouble } from '../service/trouble.ts';
import type { KafkaClient, KafkaConnection } from '../store/kafka/client.ts';
import { type About, createAbout } from './about.ts';

/** What every part of one process shares. */
export type Core = {
  config: Config;
  log: Log;
  registry: Registry;
  shutdown: Shutdown;
  now: () => number;
  about: () => About;
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
    about: createAbout(config.node, Date.now),
    warn: createRepeatedWarning(log),
    graceMs: (config.shutdown_seconds * 1000) / 2,
  };
}

/** A client of the configured brokers. Connects when it is first used. Rejects with a `Trouble` where the CA file cannot be read. */
export async function connectKafka(core: Pick<Core, 'config' | 'warn'>): Promise<KafkaClient> {
  const connection = kafkaConnection(core);
  if (core.config.kafka.client === 'platformatic') {
    const { createPlatformaticClient } = await import('../store/kafka/platformatic/platformatic.ts');
    return createPlatformaticClient(connection);
  }
  const { createKafkajsClient } = await import('../store/kafka/kafkajs/kafkajs.ts');
  return createKafkajsClient(connection);
}

/** How to reach the configured brokers. */
export function kafkaConnection({ config, warn }: Pick<Core, 'config' | 'warn'>): KafkaConnection {
  const { brokers, tls, ca_file, sasl, compression } = config.kafka;
  const { mechanism, username, password } = sasl;
  if (mechanism === 'plain' && !tls)
    warn('kafka login', 'kafka.sasl.mechanism plain without kafka.tls sends the password in the clear');
  return {
    brokers,
    clientId: `hotitem-${config.node}`,
    compression,
    onWarning: (message, who = 'client') =>
      warn(`kafka ${who}`, `from the Kafka ${who}`, { reason: message }),
    ...(tls && { tls: { ca: ca_file === undefined ? undefined : readCertificate(ca_file) } }),
    ...(mechanism !== undefined &&
      username !== undefined &&
      password !== undefined && { sasl: { mechanism, username, password } }),
  };
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Trouble(`cannot read kafka.ca_file: ${reasonOf(error)}`, 'It is a PEM file.');
  }
}
