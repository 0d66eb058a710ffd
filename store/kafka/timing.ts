/*
 * What both Kafka clients are told alike, so that they may share a group and be exchanged for one another. In ms where
 * the name says so.
 */

/** Timeout of a request; longer than the broker delays its answer to a joining member: a session. */
export const REQUEST_MS = 15_000;
export const CONNECT_MS = 2_000;
/** A consumer that was killed is missed after this long: the next one begins within ten seconds. */
export const SESSION_MS = 8_000;
export const HEARTBEAT_MS = 2_500;
/** How long the broker may wait for more before it answers a fetch. */
export const FETCH_WAIT_MS = 250;
/** Compressed, some thousands of events; more in memory brings nothing. */
export const MAX_BYTES_PER_PARTITION: number = 256 * 1024;
/** Compressed as well, of one answer: unpacked about as much as `MOST_IN_ANSWER`. Kafka sends the first batch whole all the same. */
export const MAX_BYTES_PER_ANSWER: number = 2 * 1024 * 1024;
/** How long a close waits for a broker that hangs: what it did not acknowledge is sent again by the next process. */
export const CLOSE_MS = 500;
/** After so long the partitions of a topic and their leaders are asked for again, whatever happens: a partition that was added is read from then on. */
export const METADATA_MS = 5_000;
