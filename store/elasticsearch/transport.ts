import {
  errors,
  Transport,
  type TransportRequestOptions,
  type TransportRequestOptionsWithMeta,
  type TransportRequestOptionsWithOutMeta,
  type TransportRequestParams,
  type TransportResult,
} from '@elastic/elasticsearch';

/**
 * An error of the client shows no headers and no connection, which may hold secrets. Its default is to go through everything that the
 * error refers to, byte by byte through the body of the request: 2 MB take 200, and a second.
 */
export const REDACTION = { type: 'remove' } as const;

/**
 * Takes nothing for an answer that is none. The client's own transport gives a redirection, and a page that a proxy sends
 * with Elasticsearch's header, to its caller as if Elasticsearch had said it.
 */
export class StrictTransport extends Transport {
  override request<T = unknown>(
    params: TransportRequestParams,
    options?: TransportRequestOptionsWithOutMeta,
  ): Promise<T>;
  override request<T = unknown, C = unknown>(
    params: TransportRequestParams,
    options?: TransportRequestOptionsWithMeta,
  ): Promise<TransportResult<T, C>>;
  override request<T = unknown>(
    params: TransportRequestParams,
    options?: TransportRequestOptions,
  ): Promise<T>;
  override async request(
    params: TransportRequestParams,
    options: TransportRequestOptions = {},
  ): Promise<unknown> {
    const result = await super.request(params, { ...options, meta: true }).catch(explain);
    const { statusCode, body } = result;
    if (statusCode < 200 || statusCode > 299)
      throw new errors.ResponseError(result, { redaction: REDACTION });
    if (typeof body !== 'object' || body === null)
      throw new errors.DeserializationError('the response is not a JSON object', '');
    return options.meta === true ? result : body;
  }
}

/** The client writes an answer that is an error into its own message, however deep it is nested. */
function explain(error: unknown): never {
  throw error instanceof RangeError
    ? new errors.DeserializationError('the response is nested too deep', '')
    : error;
}
