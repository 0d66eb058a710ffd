import { readFileSync } from 'node:fs';
import { reasonOf } from '../service/log.ts';
import { Trouble } from '../service/trouble.ts';
import type { KafkaClient, KafkaConnection } from '../store/kafka/client.ts';
import type { TopicReader, TopicReaderOptions } from '../store/kafka/topic-reader.ts';
import type { Core } from './core.ts';

type Library = {
  client(connection: KafkaConnection): KafkaClient;
  reader(options: TopicReaderOptions): TopicReader;
};

/** The client libraries, by the value of `kafka.client`. Loaded on demand: each takes tens of megabytes. */
const LIBRARIES: Record<Core['config']['kafka']['client'], () => Promise<Library>> = {
  async kafkajs() {
    const { createKafkajsClient } = await import('../store/kafka/kafkajs/kafkajs.ts');
    const { createTopicReader } = await import('../store/kafka/kafkajs/reader.ts');
    return { client: createKafkajsClient, reader: createTopicReader };
  },
  async platformatic() {
    const { createPlatformaticClient } = await import('../store/kafka/platformatic/platformatic.ts');
    const { createPlatformaticReader } = await import('../store/kafka/platformatic/reader.ts');
    return { client: createPlatformaticClient, reader: createPlatformaticReader };
  },
};

/** A client for the configured brokers. Connects when it is first used. Rejects with a `Trouble` if the CA file cannot be read. */
export async function connectKafka(core: Pick<Core, 'config' | 'warn'>): Promise<KafkaClient> {
  const connection = kafkaConnection(core);
  const { client } = await LIBRARIES[core.config.kafka.client]();
  return client(connection);
}

/** An administrative client for the configured brokers, with the configured library unless said. Connects when it is first used. */
export async function connectReader(
  core: Pick<Core, 'config' | 'warn'>,
  client = core.config.kafka.client,
): Promise<TopicReader> {
  // Silent, because the command reports errors itself.
  const connection = { ...kafkaConnection(core), onWarning: () => {} };
  const { reader } = await LIBRARIES[client]();
  return reader({ connection, groupPrefix: core.config.kafka.group });
}

/** Connection settings for the configured brokers. */
function kafkaConnection({ config, warn }: Pick<Core, 'config' | 'warn'>): KafkaConnection {
  const { brokers, tls, ca_file, sasl, compression } = config.kafka;
  const { mechanism, username, password } = sasl;
  if (mechanism === 'plain' && !tls)
    warn('kafka login', 'kafka.sasl.mechanism plain without kafka.tls sends the password unencrypted');
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
    throw new Trouble(`cannot read kafka.ca_file: ${reasonOf(error)}`, 'It must be a readable PEM file.');
  }
}
