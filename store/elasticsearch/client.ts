import { setTimeout as sleep } from 'node:timers/promises';
import { Client, errors } from '@elastic/elasticsearch';
import { IndexUnavailable, type Refusal } from '../event-index.ts';
import { BoundedConnection, BoundedSerializer, LARGEST_ANSWER } from './connection.ts';
import { REDACTION, StrictTransport } from './transport.ts';

const LONGEST_REASON = 300;
const CLOSE_MS = 500;
const MIB = 1024 * 1024;

export type ElasticsearchConnection = {
  /** `https://host:9200`, without a login. */
  node: string;
  auth?: { apiKey: string } | { username: string; password: string };
  /** PEM of the CA that signed its certificate, if the system does not know it. */
  ca?: string;
  requestTimeoutMs: number;
};

/** A client without retries: the caller decides what to do about a failure. Nothing is sent yet. */
export function connectElasticsearch({ node, auth, ca, requestTimeoutMs }: ElasticsearchConnection): Client {
  return new Client({
    node,
    Transport: StrictTransport,
    Connection: BoundedConnection,
    Serializer: BoundedSerializer,
    redaction: REDACTION,
    maxResponseSize: LARGEST_ANSWER,
    maxCompressedResponseSize: LARGEST_ANSWER,
    maxRetries: 0,
    requestTimeout: requestTimeoutMs,
    ...(auth !== undefined && { auth }),
    ...(ca !== undefined && { tls: { ca } }),
  });
}

/**
 * The error for a failed request: an `IndexUnavailable` whose message contains neither login nor address. An error that does not come from
 * the client is a bug, and is returned unchanged.
 */
export function toUnavailable(error: unknown): unknown {
  if (!(error instanceof errors.ElasticsearchClientError)) return error;
  return new IndexUnavailable(describe(error), { cause: error, why: whyOf(error) });
}

/** The HTTP status of an error response; undefined if there was no response. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof errors.ResponseError ? error.statusCode : undefined;
}

/** Whether Elasticsearch says that an object does not exist. A proxy that does not know the path also answers 404, but without a type. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && typeIn(error) !== undefined;
}

/** The error type of Elasticsearch: `cluster_block_exception`; undefined if there is none. */
export function typeIn(error: unknown): string | undefined {
  return textIn(error, 'type');
}

/** The reason that Elasticsearch gives, for people; undefined if there is none. Of a search, what failed in it: that it failed is all its own reason says. */
export function reasonIn(error: unknown): string | undefined {
  if (typeIn(error) !== 'search_phase_execution_exception') return textIn(error, 'reason');
  const { root_cause: roots, caused_by: cause } = (error as errors.ResponseError).body.error;
  const reason: unknown = roots?.[0]?.reason ?? cause?.reason;
  return typeof reason === 'string' ? reason : textIn(error, 'reason');
}

/** The index in which a search failed; undefined if Elasticsearch names none. */
export function indexIn(error: unknown): string | undefined {
  if (!(error instanceof errors.ResponseError)) return undefined;
  const index: unknown = error.body?.error?.root_cause?.[0]?.index;
  return typeof index === 'string' ? index : undefined;
}

function textIn(error: unknown, field: 'type' | 'reason'): string | undefined {
  if (!(error instanceof errors.ResponseError)) return undefined;
  const text: unknown = error.body?.error?.[field];
  return typeof text === 'string' ? text : undefined;
}

function whyOf(error: unknown): Refusal {
  const status = statusOf(error);
  if (status === 429) return 'overloaded';
  if (isTooLargeAnswer(error)) return 'refused';
  // A gateway answers 502 to 504 without a backend, and Elasticsearch 503 without a master.
  return status !== undefined && status < 500 ? 'refused' : 'away';
}

/** Whether a response was aborted because it is too large: requests are aborted for no other reason. */
export function isTooLargeAnswer(error: unknown): boolean {
  return error instanceof errors.RequestAbortedError;
}

function because(error: unknown): string {
  const reason = reasonIn(error);
  return reason === undefined ? '' : `: ${reason.slice(0, LONGEST_REASON)}`;
}

function describe(error: unknown): string {
  const status = statusOf(error);
  if (status === 401)
    return 'Elasticsearch rejects the login (401), see elasticsearch.api_key, or username and password';
  if (status === 403) return 'Elasticsearch does not permit this (403)';
  if (status === 429) return 'Elasticsearch is overloaded (429)';
  if (status !== undefined && status < 400)
    return `something in front of Elasticsearch answers in its place (${status}), see elasticsearch.node`;
  if (status !== undefined) return `Elasticsearch answers with an error (${status})${because(error)}`;
  if (isTooLargeAnswer(error))
    return `what answers there is not Elasticsearch: the response is larger than ${LARGEST_ANSWER / MIB} MiB, or has too many values`;
  if (error instanceof errors.DeserializationError)
    return 'what answers there is not Elasticsearch: it sends no JSON';
  if (error instanceof errors.TimeoutError) return 'Elasticsearch does not answer in time';
  if (error instanceof errors.ProductNotSupportedError) return 'what answers there is not Elasticsearch';
  if (error instanceof Error && /certificate/i.test(error.message))
    return 'the certificate of Elasticsearch is not trusted, see elasticsearch.ca_file';
  return 'Elasticsearch does not answer';
}

/** Does not wait for a request that hangs: its work is repeated. */
export function closeSoon(client: Client): Promise<void> {
  return Promise.race([client.close(), sleep(CLOSE_MS)]);
}
