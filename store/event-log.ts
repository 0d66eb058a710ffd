import type { Undecodable } from './undecodable.ts';

/** Events at rest in the order they came: the spool on disk, or a Kafka topic. */
export type EventLog = {
  /** Adds events (each one JSON text) and resolves once they are kept: written to disk, or acknowledged by all in-sync replicas. */
  append(batch: Batch): Promise<void>;
  /**
   * Hands every event after the cursor `name` to `handle`, batch by batch and in order (of one `source`), until the
   * consumer is closed. A batch is acknowledged when `handle` resolves, and redelivered when it rejects.
   */
  consume(name: string, handle: Handler): Promise<Consumer>;
};

/** Some events of one source, in order. */
export type Batch = {
  /** Their source, for people: `spool`, `collection_hot_item/3`. */
  source: string;
  /** One event each: JSON in UTF-8, no newline in it. */
  values: Buffer[];
  /** The position of `values[i]` in the source: a sequence, or an offset. */
  position(i: number): string;
  /** When the log had `values[i]`, ms since 1970, where it knows. */
  time?(i: number): number | undefined;
  /** Set if these events cannot be decoded: `values` are then placeholders for them. */
  undecodable?: Undecodable;
};

export type Handler = (batch: Batch, context: Context) => Promise<void>;

/** What a handler needs while it waits for something unavailable. */
export type Context = {
  /** Aborted when the consumer must stop: the handler stops, and its batch stays unacknowledged. */
  signal: AbortSignal;
  /** Aborted before that, when no further batch will come: stop waiting for what is unavailable. */
  stopping: AbortSignal;
  /** Call at least every few seconds while retrying, so that a group membership is kept. */
  heartbeat(): Promise<void>;
};

export type Consumer = {
  /** Why it does not run, while it tries to run again; undefined when all is well. */
  failure(): string | undefined;
  /** Stops after the current batch, or aborts that batch after `graceMs`. */
  close(graceMs: number): Promise<void>;
};
