import type { estypes } from '@elastic/elasticsearch';
import type { Outcome } from '../event-index.ts';

const LONGEST_REASON = 300;
/** So many documents rejected in a row, with none accepted in between, are no coincidence. */
const MOST_IN_A_ROW = 10;

const CREATED: Outcome = { status: 'created' };
const EXISTS: Outcome = { status: 'exists' };
/** A create has no other way to change nothing and succeed. */
const DROPPED: Outcome = { status: 'dropped', reason: 'pipeline' };

/**
 * Errors of single documents that are the cluster's state and not the document's fault, whatever their status: a
 * read-only block is a 403, a closed index and the limit of shards are a 400. Giving up a document for one of them would
 * make dead letters of all documents until somebody notices.
 */
const STATE = new Set([
  'cluster_block_exception',
  'index_closed_exception',
  'security_exception',
  'validation_exception',
]);
const MISSING_PIPELINE = /^pipeline with id .* does not exist/;
const NO_DATA_STREAM = /is not a data stream$/;
/** No event can be the cause of these: what it may hold is in our mapping. */
const FOREIGN_MAPPING = /dynamic introduction of|object mapping for|Limit of total fields/;

/** What became of a document, by its part of the answer to a bulk request. */
export function toOutcome(item: estypes.BulkResponseItem | undefined, dataStream: string): Outcome {
  const status = item?.status ?? 0;
  if (status === 201) return CREATED;
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
 * Distinguishes rejected documents from an index that rejects all: after enough rejections in a row, they are
 * caused by the index, and are retried. Otherwise another template would make a dead letter of every event.
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

export function cutReason(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
}

function isTaken({ status }: Outcome): boolean {
  return status === 'created' || status === 'exists' || status === 'dropped';
}

/** What answers may not be Elasticsearch. */
function textOr(said: unknown, otherwise: string): string {
  return typeof said === 'string' ? said : otherwise;
}

function refused(reason: string): Outcome {
  return { status: 'retry', why: 'refused', reason: cutReason(reason) };
}

function missing(said: string, dataStream: string): string {
  return NO_DATA_STREAM.test(said)
    ? `${dataStream} is an index or an alias, not a data stream: rename it, or set another elasticsearch.data_stream`
    : `Elasticsearch has no data stream ${dataStream} and no template for it: run \`hotitem setup\``;
}
