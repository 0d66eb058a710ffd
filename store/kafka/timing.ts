/* Settings shared by both Kafka clients, so that they can be in the same group and replace each other. In ms if the name says so. */

/** Request timeout; longer than the broker may delay its answer to a joining member, which is a session. */
export const REQUEST_MS = 15_000;
export const CONNECT_MS = 2_000;
/** A killed consumer is detected after this time: the next one takes over within ten seconds. */
export const SESSION_MS = 8_000;
export const HEARTBEAT_MS = 2_500;
/** How long the broker may wait for more records before it answers a fetch. */
export const FETCH_WAIT_MS = 250;
/** Compressed, some thousands of events; larger fetches bring no benefit. */
export const MAX_BYTES_PER_PARTITION: number = 256 * 1024;
/** Compressed, per response: decompressed about as much as `MOST_IN_ANSWER`. Kafka sends the first batch completely in any case. */
export const MAX_BYTES_PER_ANSWER: number = 2 * 1024 * 1024;
/** How long a close waits for a broker that hangs: what is not acknowledged is resent by the next process. */
export const CLOSE_MS = 500;
/** Interval of metadata refreshes: an added partition is read after this time. */
export const METADATA_MS = 5_000;
