import type { Client, estypes } from '@elastic/elasticsearch';
import type { HotItemEvent } from '../event/event.ts';
import { type Body, createBody } from './elasticsearch-body.ts';
import { reasonIn, statusOf, toUnavailable, typeIn } from './elasticsearch-client.ts';
import { toOperation } from './elasticsearch-document.ts';
import { IndexUnavailable, type Outcome } from './event-index.ts';

/** In characters. Elasticsearch takes 100 MB, and works best with a few; a proxy before it may take less (413). */
const LARGEST_REQUEST = 8 * 1024 * 1024;
/** However small a proxy's limit looks: one huge event must not shrink the requests of all that follow. */
const SMALLEST_LIMIT = 256 * 1024;
const LONGEST_REASON = 300;
/** As many as requests are usually under way at once. */
const SPARE_BUFFERS = 4;

/** Without the rest an answer about 1,000 documents is a tenth of the size. */
const FILTER = 'errors,items.*.status,items.*.error.type,items.*.error.reason';

const CREATED: Outcome = { status: 'created' };
const EXISTS: Outcome = { status: 'exists' };

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

type Reply = { errors?: boolean; items?: { create?: estypes.BulkResponseItem }[] };

/**
 * Creates documents in a data stream, which must have its template: nothing is created by accident.
 * The returned function gives one outcome an event, in order, and throws an `IndexUnavailable` when there is none at all.
 */
export function createBulk(
  client: Client,
  dataStream: string,
): (events: Iterable<HotItemEvent>) => Promise<Outcome[]> {
  const path = `/${encodeURIComponent(dataStream)}/_bulk`;
  let largest = LARGEST_REQUEST;
  const spare: Buffer[] = [];
  return create;

  function create(events: Iterable<HotItemEvent>): Promise<Outcome[]> {
    // A new buffer for each request, of a megabyte, would have V8 collect garbage all the time.
    return sendAndSpare(createBody(events, toOperation, spare.pop()));
  }

  async function sendAndSpare(body: Body): Promise<Outcome[]> {
    const outcomes = body.length === 0 ? [] : await send(body);
    // Not after a failure: what timed out may still be read from it.
    const isFree = outcomes.every(({ status }) => status !== 'retry');
    if (isFree && spare.length < SPARE_BUFFERS && body.buffer.length <= LARGEST_REQUEST)
      spare.push(body.buffer);
    return outcomes;
  }

  async function send(body: Body): Promise<Outcome[]> {
    if (body.size > largest && body.length > 1) return inHalves(body);
    try {
      return await request(body);
    } catch (error) {
      if (!isAboutContent(error)) throw toUnavailable(error);
      if (body.length === 1) return [{ status: 'rejected', reason: reasonOfRefusal(error) }];
      if (statusOf(error) === 413) largest = Math.max(SMALLEST_LIMIT, Math.min(largest, body.size >> 1));
      return inHalves(body);
    }
  }

  async function inHalves(body: Body): Promise<Outcome[]> {
    const middle = body.length >> 1;
    const first = await send(body.slice(0, middle));
    const rest = body.slice(middle, body.length);
    try {
      return first.concat(await send(rest));
    } catch (error) {
      if (!(error instanceof IndexUnavailable)) throw error;
      // What is known about the first half must not be forgotten.
      const { message: reason, why } = error;
      return first.concat(Array.from({ length: rest.length }, () => ({ status: 'retry', reason, why })));
    }
  }

  async function request(body: Body): Promise<Outcome[]> {
    // Not client.bulk: that takes documents to serialise, and these are bytes already.
    const { errors, items } = await client.transport.request<Reply>({
      method: 'POST',
      path,
      querystring: { require_data_stream: true, filter_path: FILTER },
      bulkBody: body.bytes,
    });
    if (items?.length !== body.length) {
      throw new IndexUnavailable(`Elasticsearch told about ${items?.length ?? 0} of ${body.length} events`);
    }
    if (!errors) return items.map(() => CREATED);
    return items.map(({ create }) => toOutcome(create, dataStream));
  }
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
  if (status === 201) return CREATED;
  if (status === 409) return EXISTS;
  const type = item?.error?.type ?? 'error';
  const said = item?.error?.reason ?? '';
  if (status === 404) {
    const reason = `Elasticsearch has no data stream ${dataStream} and no template for it: run \`hotitem setup\``;
    return { status: 'retry', why: 'refused', reason: cut(`${reason} (${said})`) };
  }
  const reason = cut(`${type}: ${said}`);
  const isState = STATE.has(type) || MISSING_PIPELINE.test(said) || status === 401 || status === 403;
  if (isState) return { status: 'retry', why: 'refused', reason };
  const isEvents = status >= 400 && status < 500 && status !== 429;
  return isEvents ? { status: 'rejected', reason } : { status: 'retry', why: 'overloaded', reason };
}

function cut(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
}
