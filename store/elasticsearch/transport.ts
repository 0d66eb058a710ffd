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
 * Prints an error of the client without headers and connection, which may contain secrets. The default walks through everything that the
 * error references, byte by byte through the request body: for 2 MB it takes a second and 200 MB.
 */
export const REDACTION = { type: 'remove' } as const;

/**
 * Rejects responses that are not Elasticsearch's. The client's own transport passes a redirection, or a proxy's page with Elasticsearch's
 * header, to its caller.
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

/** The client copies an error response into its message, however deeply it is nested. */
function explain(error: unknown): never {
  throw error instanceof RangeError
    ? new errors.DeserializationError('the response is nested too deep', '')
    : error;
}
