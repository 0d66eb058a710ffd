import type { Undecodable } from './undecodable.ts';
import type { Values } from './values.ts';

/** Stored events in order of arrival: the spool on disk, or a Kafka topic. */
export type EventLog = {
  /** Appends events (each one JSON text) and resolves once they are stored: written to disk, or acknowledged by all in-sync replicas. */
  append(batch: Batch): Promise<void>;
  /**
   * Passes every event after the cursor `name` to `handle`, in batches and in order (per `source`), until the consumer is closed. A batch
   * is acknowledged when `handle` resolves, and redelivered when it rejects.
   */
  consume(name: string, handle: Handler): Promise<Consumer>;
};

/** Consecutive events of one source. */
export type Batch = {
  /** Name of the source, for people: `spool`, `collection_hot_item/3`. */
  source: string;
  /** One event each: JSON in UTF-8, no newline in it. */
  values: Values;
  /** The position of `values[i]` in the source: a sequence, or an offset. */
  position(i: number): string;
  /** When the log received `values[i]`, ms since 1970, if it knows. */
  time?(i: number): number | undefined;
  /** Set if these events cannot be decoded: `values` are then placeholders for them. */
  undecodable?: Undecodable;
};

export type Handler = (batch: Batch, context: Context) => Promise<void>;

/** Passed to a handler, for use while it waits for something unavailable. */
export type Context = {
  /** Aborted when the consumer must stop: the handler stops, and its batch stays unacknowledged. */
  signal: AbortSignal;
  /** Aborted earlier, when there will be no further batch: stop waiting for what is unavailable. */
  stopping: AbortSignal;
  /** Must be called at least every few seconds while retrying, to keep the group membership. */
  heartbeat(): Promise<void>;
};

export type Consumer = {
  /** Why it is not running, while it retries; undefined when all is well. */
  failure(): string | undefined;
  /** Stops after the current batch, or aborts that batch after `graceMs`. */
  close(graceMs: number): Promise<void>;
};
