import { atAddress } from './address.ts';
import { type ElasticsearchPart, startElasticsearch } from './elasticsearch.ts';
import { type KafkaNode, type KafkaPart, startKafka } from './kafka.ts';
import { AUTHORIZER, type KafkaSecurity } from './kafka-security.ts';
import { type PartName, whatIsMissing } from './missing.ts';
import { tailOf } from './process.ts';
import { record } from './record.ts';
import { report } from './report.ts';

/** A Kafka with everything that a suite may need: secured listeners, and data that can be damaged. */
export type SecuredKafka = KafkaPart & { security: KafkaSecurity };

/** What a run of all tests passes to its suites, as JSON in the environment. */
type SharedKafka = Pick<KafkaPart, 'brokers' | 'describe' | 'security'> & Pick<KafkaNode, 'data' | 'logFile'>;
type SharedElasticsearch = Pick<ElasticsearchPart, 'node' | 'describe' | 'logFile'>;

const VARIABLES = { kafka: 'HOTITEM_TEST_KAFKA', elasticsearch: 'HOTITEM_TEST_ELASTICSEARCH' } as const;
/** Nobody kills it, so its heartbeats may be later than those of one that is killed and has to return soon. */
const PATIENT = { 'broker.session.timeout.ms': '60000' };
/** It waits for most of a run: each thread asks three times a second whether there is something to do, and each listener has its own. */
const QUIET = { 'num.network.threads': '1', 'num.io.threads': '3' };
const SECURED = { secured: true, properties: { ...AUTHORIZER, ...PATIENT, ...QUIET } };

/**
 * The Kafka that the suites of one run share, or a new one if a suite runs alone. For suites that stop nothing, change no setting of the
 * broker, and have unique names for topics and groups. `close` does not stop a shared one.
 */
export async function sharedKafka(): Promise<KafkaPart> {
  const shared = handedOn<SharedKafka>('kafka');
  return shared === undefined ? startKafka() : kafkaOf(shared);
}

/** The same with secured listeners, an authorizer that allows connections without a login, and local data. */
export async function sharedSecuredKafka(): Promise<SecuredKafka> {
  const shared = handedOn<SharedKafka>('kafka');
  const kafka = shared?.security === undefined ? await startKafka(SECURED) : kafkaOf(shared);
  const { security } = kafka;
  if (security === undefined) throw new Error('this Kafka has no secured listeners');
  return { ...kafka, security };
}

/** The Elasticsearch that the suites of one run share, or a new one. Each suite has its own data streams. */
export async function sharedElasticsearch(): Promise<ElasticsearchPart> {
  const shared = handedOn<SharedElasticsearch>('elasticsearch');
  if (shared === undefined) return startElasticsearch();
  record(shared.describe);
  const { node, describe, logFile } = shared;
  return { ...atAddress(describe), node, ...logOf(logFile) };
}

export type SharedParts = {
  /** For the environment of the tests. */
  env: Record<string, string>;
  close(): Promise<void>;
};

/**
 * Starts the parts that the suites of a run share, except those that the environment names or that are not available here: the
 * suites then skip or fail themselves.
 */
export async function startSharedParts(): Promise<SharedParts> {
  const [kafka, elasticsearch] = await Promise.all([
    unlessMissing('kafka', () => startKafka(SECURED)),
    unlessMissing('elasticsearch', () => startElasticsearch()),
  ]);
  const env: Record<string, string> = {};
  if (kafka !== undefined) {
    const { brokers, describe, security, nodes } = kafka;
    const { data, logFile } = nodes[0] ?? {};
    const shared: SharedKafka = {
      brokers,
      describe,
      ...(security && { security }),
      ...(data && { data }),
      ...(logFile && { logFile }),
    };
    env[VARIABLES.kafka] = JSON.stringify(shared);
  }
  if (elasticsearch !== undefined) {
    const { node, describe, logFile } = elasticsearch;
    const shared: SharedElasticsearch = { node, describe, ...(logFile && { logFile }) };
    env[VARIABLES.elasticsearch] = JSON.stringify(shared);
  }
  return {
    env,
    async close() {
      await Promise.all([kafka?.close(), elasticsearch?.close()]);
    },
  };
}

async function unlessMissing<P>(
  part: PartName & keyof typeof VARIABLES,
  start: () => Promise<P>,
): Promise<P | undefined> {
  // A suite with an address in the environment uses that.
  if (whatIsMissing(part, { stops: true }) !== undefined) return undefined;
  try {
    return await start();
  } catch (error) {
    report(`hotitem: no ${part} for all suites, each starts its own: ${String(error)}`);
    return undefined;
  }
}

function kafkaOf({ brokers, describe, security, data, logFile }: SharedKafka): KafkaPart {
  record(describe);
  const part = { ...atAddress(describe), ...logOf(logFile) };
  return { ...part, brokers, nodes: [{ ...part, ...(data && { data }) }], ...(security && { security }) };
}

function logOf(logFile: string | undefined) {
  return logFile === undefined ? {} : { log: () => tailOf(logFile) };
}

function handedOn<Shared>(part: keyof typeof VARIABLES): Shared | undefined {
  const json = process.env[VARIABLES[part]];
  return json === undefined ? undefined : (JSON.parse(json) as Shared);
}
