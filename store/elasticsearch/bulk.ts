import type { Client, estypes } from '@elastic/elasticsearch';
import { IndexUnavailable, type Outcome } from '../event-index.ts';
import { type Body, createBody } from './body.ts';
import { isTooLargeAnswer, reasonIn, statusOf, toUnavailable, typeIn } from './client.ts';
import { createStanding, cutReason, isInFailureStore, toOutcome } from './outcome.ts';

/** In characters. Elasticsearch takes 100 MB, and works best with a few; a proxy before it may take less (413). */
const LARGEST_REQUEST = 8 * 1024 * 1024;
/** The limit never goes below this, however small a proxy's limit looks: one huge event must not shrink all later requests. */
const SMALLEST_LIMIT = 256 * 1024;
/** So few events that no answer about them is too large. */
const FEW = 50;
/** The number of requests that are usually in flight at once. */
const SPARE_BUFFERS = 4;

/** Without the rest an answer about 1,000 documents is a tenth of the size. */
const FILTER = 'items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store';

type Reply = { items?: { create?: estypes.BulkResponseItem }[] };

/**
 * Creates documents in a data stream, which must have its template: nothing is created by accident. `toOperation` writes the two lines
 * of a bulk request that create one. The returned function gives one outcome an event, in order, and throws an `IndexUnavailable` when
 * there is none at all.
 */
export function createBulk<One>(
  client: Client,
  dataStream: string,
  toOperation: (one: One) => string,
): (events: Iterable<One | undefined>) => Promise<Outcome[]> {
  const path = `/${encodeURIComponent(dataStream)}/_bulk`;
  let largest = LARGEST_REQUEST;
  /** The failure store took all of the last request: whatever is sent again is stored there again. */
  let isDoubtful = false;
  const spare: Buffer[] = [];
  const standing = createStanding();
  return create;

  async function create(events: Iterable<One | undefined>): Promise<Outcome[]> {
    // A new buffer for each request, of a megabyte, would have V8 collect garbage all the time.
    return sendAndSpare(await createBody(events, toOperation, spare.pop()));
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
    if (isDoubtful && body.length > 1) return oneFirst(body);
    try {
      return await request(body);
    } catch (error) {
      if (isTooLargeAnswer(error) && body.length > FEW) return inHalves(body);
      if (!isAboutContent(error)) throw toUnavailable(error);
      if (body.length === 1) return [alone(reasonOfRefusal(error))];
      if (statusOf(error) === 413) largest = Math.max(SMALLEST_LIMIT, Math.min(largest, body.size >> 1));
      return inHalves(body);
    }
  }

  /** The others are sent once the first is accepted, or rejected for another reason. */
  async function oneFirst(body: Body): Promise<Outcome[]> {
    const first = await send(body.slice(0, 1));
    const [outcome] = first;
    if (isDoubtful && outcome !== undefined) return Array.from({ length: body.length }, () => outcome);
    return first.concat(await send(body.slice(1, body.length)));
  }

  /** Of an event that is refused without others. Throws where it is the last of many: the rest need not be tried. */
  function alone(reason: string): Outcome {
    const [outcome] = standing([{ status: 'rejected', reason }]);
    if (outcome?.status === 'retry') throw new IndexUnavailable(outcome.reason, { why: 'refused' });
    return { status: 'rejected', reason };
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
    const { items } = await client.transport.request<Reply>({
      method: 'POST',
      path,
      querystring: { require_data_stream: true, filter_path: FILTER },
      bulkBody: body.bytes,
    });
    const told = Array.isArray(items) ? items.length : 0;
    if (items === undefined || told !== body.length)
      throw new IndexUnavailable(`Elasticsearch answered for ${told} of ${body.length} events`);
    const outcomes = standing(items.map((item) => toOutcome(item?.create, dataStream)));
    const isTried = outcomes.every(({ status }) => status === 'retry');
    isDoubtful = isTried && items.some((item) => isInFailureStore(item?.create));
    return outcomes;
  }
}

/** Whether a smaller request may do: it is too large, or one document in it spoils the whole. */
function isAboutContent(error: unknown): boolean {
  return statusOf(error) === 413 || typeIn(error) === 'action_request_validation_exception';
}

function reasonOfRefusal(error: unknown): string {
  if (statusOf(error) === 413) return 'too large for Elasticsearch, or for a proxy in front of it (413)';
  return cutReason(reasonIn(error) ?? 'refused');
}
