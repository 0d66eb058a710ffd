import type { HotDecision } from '../event/decision-fields.ts';
import type { HotItemEvent } from '../event/event.ts';
import type { EventQuestions } from './event-questions.ts';

/** Stores events, or decisions, each once by its id. */
export type Index<One> = {
  /**
   * Creates each that is not there yet. Returns one outcome for each, in their order. Goes through `some` before it sends
   * any, in as many turns of the event loop as that takes, and keeps none that it need not: they may be made one by one. `undefined`
   * is none, and has no outcome: its record took time to read all the same.
   * Throws an `IndexUnavailable` when nothing can be said about any of them: try the same again later.
   */
  create(some: Iterable<One | undefined>): Promise<Outcome[]>;
  /** Why it can neither take nor say anything now; undefined while it can. Missing where only an attempt would tell. */
  failure?(): string | undefined;
  close(): Promise<void>;
};

export type DecisionIndex = Index<HotDecision>;

/** Where events can be asked about: Elasticsearch or DuckDB. */
export type EventIndex = Index<HotItemEvent> & EventQuestions;

export type Outcome =
  | { status: 'created' }
  | { status: 'exists' }
  /** Dropped on purpose, by an ingest pipeline. `reason` is a label of metrics. */
  | { status: 'dropped'; reason: string }
  /** Not now: the same event may be created later. */
  | { status: 'retry'; reason: string; why?: Refusal }
  /** This event will never be taken. */
  | { status: 'rejected'; reason: string };

/**
 * Why an index accepts nothing at the moment. `away`: it does not answer. `overloaded`: less at once may work.
 * `refused`: because of a login, a permission, a block or a missing template; a person must fix that.
 */
export type Refusal = 'away' | 'overloaded' | 'refused';

/** The index gave no answer to the request. Always retriable. */
export class IndexUnavailable extends Error {
  override name = 'IndexUnavailable';
  readonly why: Refusal;

  constructor(message: string, { cause, why = 'away' }: { cause?: unknown; why?: Refusal } = {}) {
    super(message, { cause });
    this.why = why;
  }
}
