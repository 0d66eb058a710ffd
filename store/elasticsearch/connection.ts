import { promisify } from 'node:util';
import { unzip } from 'node:zlib';
import {
  type ConnectionRequestOptions,
  type ConnectionRequestOptionsAsStream,
  type ConnectionRequestParams,
  type ConnectionRequestResponse,
  type ConnectionRequestResponseAsStream,
  errors,
  Serializer,
  UndiciConnection,
} from '@elastic/elasticsearch';
import { codeOf } from '../../service/error-code.ts';
import { TooLarge } from '../codecs/output.ts';
import { gzipSize } from '../codecs/unpack.ts';

/** Our requests get responses of some KB; 5,000 rejected documents, with a long reason each, give 3 MB. */
export const LARGEST_ANSWER: number = 8 * 1024 * 1024;
/** A response up to this size takes little memory once it is parsed, whatever it contains. */
const SMALL_ANSWER = 1024 * 1024;
/** Maximum number of objects and lists in a larger one: `{},` takes three bytes, and 50 once it is parsed. */
const MOST_VALUES = 200_000;

const unzipLater = promisify(unzip);

/**
 * Decompresses a response up to `LARGEST_ANSWER`: we do not ask for compression, but some servers compress anyway. The client itself would
 * decompress 200 KB to 200 MB. It limits uncompressed responses by `maxResponseSize`.
 */
export class BoundedConnection extends UndiciConnection {
  override request(
    params: ConnectionRequestParams,
    options: ConnectionRequestOptions,
  ): Promise<ConnectionRequestResponse>;
  override request(
    params: ConnectionRequestParams,
    options: ConnectionRequestOptionsAsStream,
  ): Promise<ConnectionRequestResponseAsStream>;
  override async request(
    params: ConnectionRequestParams,
    options: ConnectionRequestOptions,
  ): Promise<ConnectionRequestResponse | ConnectionRequestResponseAsStream> {
    const answer = await super.request(params, options);
    const { 'content-encoding': encoding, ...headers } = answer.headers;
    if (encoding === undefined || !Buffer.isBuffer(answer.body)) return answer;
    return { ...answer, headers, body: await unpacked(answer.body) };
  }
}

/** Rejects JSON that would take much more memory than its size. */
export class BoundedSerializer extends Serializer {
  override deserialize<T = unknown>(json: string): T {
    if (json.length > SMALL_ANSWER && countValues(json) > MOST_VALUES)
      throw new errors.RequestAbortedError(`its response has more than ${MOST_VALUES} objects and lists`);
    return super.deserialize(json);
  }
}

/** Reserves the maximum at once: pages that are not written to take no memory, and collecting parts takes it twice. */
async function unpacked(packed: Buffer): Promise<Buffer> {
  try {
    if (isGzip(packed) && gzipSize(packed) > LARGEST_ANSWER) throw new TooLarge(LARGEST_ANSWER);
    return await unzipLater(packed, { chunkSize: LARGEST_ANSWER + 1, maxOutputLength: LARGEST_ANSWER });
  } catch (cause) {
    throw isTooLarge(cause)
      ? new errors.RequestAbortedError(`its response is larger than ${LARGEST_ANSWER} bytes`)
      : new errors.DeserializationError('its response cannot be decompressed', '');
  }
}

function isGzip(packed: Buffer): boolean {
  return packed[0] === 0x1f && packed[1] === 0x8b;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof TooLarge || codeOf(error) === 'ERR_BUFFER_TOO_LARGE';
}

function countValues(json: string): number {
  let count = 0;
  for (const bracket of ['{', '['])
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1)) count++;
  return count;
}
