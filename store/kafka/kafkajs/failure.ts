import { failureOf, KafkaError, type KafkaFailure, type Needs, withNeed } from '../error.ts';

/** Translates an error of kafkajs. `needs`: the permissions without which Kafka rejects the request. */
export function toKafkaError(message: string, cause: unknown, needs?: Needs): KafkaError {
  return new KafkaError(withNeed(message, nameOf(cause), needs), { cause, failure: find(cause) });
}

/** The protocol's name of the error. */
function nameOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const { type } = error as Error & { type?: unknown };
  return type ?? nameOf(error.cause);
}

const BY_CLASS: Record<string, KafkaFailure> = {
  KafkaJSSASLAuthenticationError: 'authentication',
  KafkaJSConnectionError: 'unreachable',
  KafkaJSConnectionClosedError: 'unreachable',
  KafkaJSRequestTimeoutError: 'unreachable',
  KafkaJSBrokerNotFound: 'unreachable',
  KafkaJSLockTimeout: 'unreachable',
};
const CERTIFICATE = /certificate|ssl|tls/i;
/** kafkajs does not know the names of the newest error codes. */
const INVALID_RECORD = 87;

/** Searches the causes: the outer error often contains only the number of attempts, or that each partition has its own error. */
function find(error: unknown): KafkaFailure {
  if (!(error instanceof Error)) return 'other';
  const { type, code, partitions } = error as Error & {
    type?: unknown;
    code?: unknown;
    partitions?: unknown;
  };
  if (code === INVALID_RECORD) return 'invalid';
  const named = typeof type === 'string' ? failureOf(type) : undefined;
  if (named !== undefined) return named;
  if (error.name.startsWith('KafkaJSConnection') && CERTIFICATE.test(error.message)) return 'tls';
  if (Array.isArray(partitions)) return find(partitions[0]?.error);
  return BY_CLASS[error.name] ?? find(error.cause);
}
