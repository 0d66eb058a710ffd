import { isNativeError } from 'node:util/types';
import { failureOf, KafkaError, type KafkaFailure, type Needs, withNeed } from '../error.ts';

/**
 * Translates an error of @platformatic/kafka. It collects the errors of all attempts; the last one counts. `needs`: the permissions without
 * which Kafka rejects the request.
 */
export function toKafkaError(message: string, error: unknown, needs?: Needs): KafkaError {
  const cause = lastOf(error);
  return new KafkaError(withNeed(message, nameOf(cause), needs), { cause, failure: find(cause) });
}

/** The protocol's name of the error. */
function nameOf(error: unknown): unknown {
  if (!isNativeError(error)) return undefined;
  const { apiId } = error as Error & { apiId?: unknown };
  return apiId ?? nameOf(lastOf(error.cause));
}

function lastOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? lastOf(error.errors.at(-1)) : error;
}

const BY_CODE: Record<string, KafkaFailure> = {
  PLT_KFK_AUTHENTICATION: 'authentication',
  PLT_KFK_NETWORK: 'unreachable',
  PLT_KFK_TIMEOUT: 'unreachable',
};
/** The library reads the cluster's metadata before the request. */
const NO_TOPIC = /^Unknown topic /;
const CERTIFICATE = /certificate|ssl|tls/i;

/** The error nearest to the cause is the most specific: a rejected login is also a failed connection. */
function find(error: unknown): KafkaFailure {
  if (!isNativeError(error)) return 'other';
  const inner = find(lastOf(error.cause));
  if (inner !== 'other') return inner;
  const { apiId, code } = error as Error & { apiId?: unknown; code?: unknown };
  const named = typeof apiId === 'string' ? failureOf(apiId) : undefined;
  if (named !== undefined) return named;
  if (NO_TOPIC.test(error.message)) return 'topic_missing';
  const known = typeof code === 'string' ? BY_CODE[code] : undefined;
  return known ?? (CERTIFICATE.test(error.message) ? 'tls' : 'other');
}
