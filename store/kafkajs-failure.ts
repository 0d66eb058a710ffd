import { failureOf, KafkaError, type KafkaFailure } from './kafka-error.ts';

/** What kafkajs says, as this project calls it. */
export function toKafkaError(message: string, cause: unknown): KafkaError {
  return new KafkaError(message, { cause, failure: find(cause) });
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
/** kafkajs does not know the newest codes of the protocol by name. */
const INVALID_RECORD = 87;

/** The outer error often only says how many attempts there were, or that each partition has an error of its own. */
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
