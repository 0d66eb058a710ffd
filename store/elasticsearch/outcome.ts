import type { estypes } from '@elastic/elasticsearch';
import type { Outcome } from '../event-index.ts';

const LONGEST_REASON = 300;
/** This many documents rejected in a row, with none accepted in between, are no coincidence. */
const MOST_IN_A_ROW = 10;

const CREATED: Outcome = { status: 'created' };
const EXISTS: Outcome = { status: 'exists' };
/** A `create` that changes nothing and succeeds has no other status. */
const DROPPED: Outcome = { status: 'dropped', reason: 'pipeline' };

/**
 * Errors of documents that are caused by the cluster, whatever their status: a read-only block is a 403, a closed index and the shard limit
 * are a 400. Treating them as permanent would make every document a dead letter until somebody notices.
 */
const STATE = new Set([
  'cluster_block_exception',
  'index_closed_exception',
  'security_exception',
  'validation_exception',
]);
const MISSING_PIPELINE = /^pipeline with id .* does not exist/;
const NO_DATA_STREAM = /is not a data stream$/;
/** An event cannot cause these: our mapping defines its fields. */
const FOREIGN_MAPPING = /dynamic introduction of|object mapping for|Limit of total fields/;

/** The outcome of a document, from its part of a bulk response. */
export function toOutcome(item: estypes.BulkResponseItem | undefined, dataStream: string): Outcome {
  const status = item?.status ?? 0;
  if (status === 201) return isInFailureStore(item) ? failed(dataStream) : CREATED;
  if (status === 409) return EXISTS;
  if (status === 200) return DROPPED;
  const type = textOr(item?.error?.type, 'error');
  const said = textOr(item?.error?.reason, '');
  if (status === 404) return refused(`${missing(said, dataStream)} (${said})`);
  const reason = `${type}: ${said}`;
  if (status === 400 && FOREIGN_MAPPING.test(said))
    return refused(
      `${dataStream} does not have the mapping of hotitem, \`hotitem setup\` says which template applies (${reason})`,
    );
  const isState = STATE.has(type) || MISSING_PIPELINE.test(said) || status === 401 || status === 403;
  if (isState) return refused(reason);
  const isEvents = status >= 400 && status < 500 && status !== 429;
  return isEvents
    ? { status: 'rejected', reason: cutReason(reason) }
    : { status: 'retry', why: 'overloaded', reason: cutReason(reason) };
}

/**
 * Distinguishes rejected documents from an index that rejects everything: after enough rejections in a row, the index is the cause, and
 * they are retried. Otherwise a wrong template would make every event a dead letter.
 */
export function createStanding(): (outcomes: Outcome[]) => Outcome[] {
  let inARow = 0;
  return (outcomes) => {
    if (outcomes.some(isTaken)) {
      inARow = 0;
      return outcomes;
    }
    inARow += outcomes.filter(({ status }) => status === 'rejected').length;
    if (inARow < MOST_IN_A_ROW) return outcomes;
    return outcomes.map((outcome) =>
      outcome.status === 'rejected' ? refused(`it accepts no event at all: ${outcome.reason}`) : outcome,
    );
  };
}

/** A failure store takes what a data stream rejects, and answers as if it had been accepted. */
export function isInFailureStore(item: estypes.BulkResponseItem | undefined): boolean {
  return item?.failure_store === 'used';
}

export function cutReason(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
}

function isTaken({ status }: Outcome): boolean {
  return status === 'created' || status === 'exists' || status === 'dropped';
}

/** The responding server may not be Elasticsearch. */
function textOr(said: unknown, otherwise: string): string {
  return typeof said === 'string' ? said : otherwise;
}

function failed(dataStream: string): Outcome {
  const reason = `Elasticsearch put it into the failure store of ${dataStream}, not into the data stream: ${dataStream}::failures says why`;
  return { status: 'rejected', reason };
}

function refused(reason: string): Outcome {
  return { status: 'retry', why: 'refused', reason: cutReason(reason) };
}

function missing(said: string, dataStream: string): string {
  return NO_DATA_STREAM.test(said)
    ? `${dataStream} is an index or an alias, not a data stream: rename it, or set another elasticsearch.data_stream`
    : `Elasticsearch has no data stream ${dataStream} and no template for it: run \`hotitem setup\``;
}
