/**
 * Why Kafka failed a request; a label of metrics. `too_large` and `invalid` are caused by what was sent, and are permanent. Everything else
 * may recover, sometimes only after an operator follows the hint.
 */
export type KafkaFailure = keyof typeof HINTS;

const HINTS = {
  unreachable: undefined,
  authentication: 'see kafka.sasl: mechanism, username and password',
  authorization: 'the user of kafka.sasl lacks this permission: grant it',
  tls: "see kafka.tls and kafka.ca_file: does the brokers' listener use TLS, and did that CA sign its certificate?",
  topic_missing: 'create it: hotitem setup',
  leader: undefined,
  not_enough_replicas: 'fewer replicas are in sync than min.insync.replicas of the topic requires',
  too_large: 'see max.message.bytes of the topic',
  invalid: 'see cleanup.policy of the topic',
  clock:
    'the clock of this host and those of the brokers differ by more than message.timestamp.* of the topic allows',
  other: undefined,
} as const;

/** The permissions that an operation needs, in words (`Read on group hotitem-sink`). */
export type Needs = Partial<Record<'topic' | 'group' | 'cluster', string>>;

const REFUSED: Record<string, keyof Needs> = {
  TOPIC_AUTHORIZATION_FAILED: 'topic',
  GROUP_AUTHORIZATION_FAILED: 'group',
  CLUSTER_AUTHORIZATION_FAILED: 'cluster',
};

/** Failures for which Kafka rejects an event permanently. */
export const PERMANENT: readonly KafkaFailure[] = ['too_large', 'invalid'];

/** Kafka failed a request. */
export class KafkaError extends Error {
  override name = 'KafkaError';
  readonly failure: KafkaFailure;
  /** Whether the same request may succeed later. */
  readonly retriable: boolean;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    { cause, failure, retriable }: { cause: unknown; failure?: KafkaFailure; retriable?: boolean },
  ) {
    super(message, { cause });
    this.failure = failure ?? 'other';
    this.retriable = retriable ?? !PERMANENT.includes(this.failure);
    this.hint = HINTS[this.failure];
  }
}

/** By the protocol's names of its errors, some of which have changed. */
const BY_NAME: Record<string, KafkaFailure> = {
  MESSAGE_TOO_LARGE: 'too_large',
  RECORD_LIST_TOO_LARGE: 'too_large',
  INVALID_RECORD: 'invalid',
  // About the timestamp, which the client sets: it recovers once the clock is corrected.
  INVALID_TIMESTAMP: 'clock',
  UNKNOWN_TOPIC_OR_PARTITION: 'topic_missing',
  UNKNOWN_TOPIC_ID: 'topic_missing',
  NOT_ENOUGH_REPLICAS: 'not_enough_replicas',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'not_enough_replicas',
  LEADER_NOT_AVAILABLE: 'leader',
  NOT_LEADER_FOR_PARTITION: 'leader',
  NOT_LEADER_OR_FOLLOWER: 'leader',
  REPLICA_NOT_AVAILABLE: 'leader',
  FENCED_LEADER_EPOCH: 'leader',
  SASL_AUTHENTICATION_FAILED: 'authentication',
  UNSUPPORTED_SASL_MECHANISM: 'authentication',
  ILLEGAL_SASL_STATE: 'authentication',
  TOPIC_AUTHORIZATION_FAILED: 'authorization',
  GROUP_AUTHORIZATION_FAILED: 'authorization',
  CLUSTER_AUTHORIZATION_FAILED: 'authorization',
  REQUEST_TIMED_OUT: 'unreachable',
  NETWORK_EXCEPTION: 'unreachable',
};

/** Undefined for a protocol error without a class of its own. */
export function failureOf(name: string): KafkaFailure | undefined {
  return BY_NAME[name];
}

/** The message, with the missing permission if that is the cause. `name` is the protocol's name of the error. */
export function withNeed(message: string, name: unknown, needs: Needs = {}): string {
  const refused = typeof name === 'string' ? REFUSED[name] : undefined;
  const need = refused === undefined ? undefined : needs[refused];
  return need === undefined ? message : `${message}: it needs ${need}`;
}
