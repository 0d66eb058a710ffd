import type { Client, estypes } from '@elastic/elasticsearch';
import type { HotItemEvent } from '../event/event.ts';
import { toEcs } from '../event/to-ecs.ts';
import { reasonIn, statusOf, toUnavailable, typeIn } from './elasticsearch-client.ts';
import { IndexUnavailable, type Outcome } from './event-index.ts';

/** In characters. Elasticsearch takes 100 MB, and works best with a few; a proxy before it may take less (413). */
const LARGEST_REQUEST = 8 * 1024 * 1024;
/** However small a proxy's limit looks: one huge event must not shrink the requests of all that follow. */
const SMALLEST_LIMIT = 256 * 1024;
const LONGEST_REASON = 300;

/** Without the rest an answer about 1,000 documents is a tenth of the size. */
const FILTER = ['errors', 'items.*.status', 'items.*.error.type', 'items.*.error.reason'];

/**
 * Errors of single documents that are the cluster's state and not the document's fault, whatever their status: a
 * read-only block is a 403, a closed index and the limit of shards are a 400. Giving up a document for one of them would
 * give up all documents until somebody notices.
 */
const STATE = new Set([
  'cluster_block_exception',
  'index_closed_exception',
  'security_exception',
  'validation_exception',
]);
const MISSING_PIPELINE = /^pipeline with id .* does not exist/;

/** Two lines of a bulk request: the action and the document. */
type Operation = [action: string, document: string];

/**
 * Creates documents in a data stream, which must have its template: nothing is created by accident.
 * The returned function gives one outcome an event, in order, and throws an `IndexUnavailable` when there is none at all.
 */
export function createBulk(
  client: Client,
  dataStream: string,
): (events: HotItemEvent[]) => Promise<Outcome[]> {
  let largest = LARGEST_REQUEST;
  return (events) => send(events.map(toOperation));

  async function send(operations: Operation[]): Promise<Outcome[]> {
    const size = sizeOf(operations);
    if (size > largest && operations.length > 1) return inHalves(operations);
    try {
      return await request(operations);
    } catch (error) {
      if (!isAboutContent(error)) throw toUnavailable(error);
      if (operations.length === 1) return [{ status: 'rejected', reason: reasonOfRefusal(error) }];
      if (statusOf(error) === 413) largest = Math.max(SMALLEST_LIMIT, Math.min(largest, size >> 1));
      return inHalves(operations);
    }
  }

  async function inHalves(operations: Operation[]): Promise<Outcome[]> {
    const middle = operations.length >> 1;
    const first = await send(operations.slice(0, middle));
    const rest = operations.slice(middle);
    try {
      return first.concat(await send(rest));
    } catch (error) {
      if (!(error instanceof IndexUnavailable)) throw error;
      // What is known about the first half must not be forgotten.
      return first.concat(rest.map(() => ({ status: 'retry', reason: error.message })));
    }
  }

  async function request(operations: Operation[]): Promise<Outcome[]> {
    const { errors, items } = await client.bulk<string>({
      index: dataStream,
      // Strings are sent as they are: the client would serialise objects one by one, action and document.
      operations: operations.flat(),
      require_data_stream: true,
      filter_path: FILTER,
    });
    if (items?.length !== operations.length) {
      throw new IndexUnavailable(
        `Elasticsearch told about ${items?.length ?? 0} of ${operations.length} events`,
      );
    }
    if (!errors) return operations.map(() => ({ status: 'created' }));
    return items.map(({ create }) => toOutcome(create, dataStream));
  }
}

function toOperation(event: HotItemEvent): Operation {
  return [`{"create":{"_id":${JSON.stringify(event.id)}}}`, JSON.stringify(toEcs(event))];
}

function sizeOf(operations: Operation[]): number {
  return operations.reduce((sum, [action, document]) => sum + action.length + document.length + 2, 0);
}

/** Whether a smaller request may do: it is too large, or one document in it spoils the whole. */
function isAboutContent(error: unknown): boolean {
  return statusOf(error) === 413 || typeIn(error) === 'action_request_validation_exception';
}

function reasonOfRefusal(error: unknown): string {
  if (statusOf(error) === 413) return 'too large for Elasticsearch, or for a proxy before it (413)';
  return cut(reasonIn(error) ?? 'refused');
}

function toOutcome(item: estypes.BulkResponseItem | undefined, dataStream: string): Outcome {
  const status = item?.status ?? 0;
  if (status === 201) return { status: 'created' };
  if (status === 409) return { status: 'exists' };
  const type = item?.error?.type ?? 'error';
  const said = item?.error?.reason ?? '';
  if (status === 404) {
    const reason = `Elasticsearch has no data stream ${dataStream} and no template for it: run \`hotitem setup\``;
    return { status: 'retry', reason: cut(`${reason} (${said})`) };
  }
  const reason = cut(`${type}: ${said}`);
  const isState = STATE.has(type) || MISSING_PIPELINE.test(said) || status === 401 || status === 403;
  const isEvents = status >= 400 && status < 500 && status !== 429 && !isState;
  return { status: isEvents ? 'rejected' : 'retry', reason };
}

function cut(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
}
