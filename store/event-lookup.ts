import type { HotItemEvent } from '../event/event.ts';
import type { Outcome } from './event-index.ts';

/** Access to an index for replay and verify. */
export type EventLookup = {
  /** For people: `data stream hot_item`. */
  name: string;
  /** Maximum number of ids, or events, per call. */
  most: number;
  /**
   * How often each event is in the index, whatever the `_id` of its document and its backing index, in the order of `ids`. Throws an
   * `IndexUnavailable`.
   */
  count(ids: string[]): Promise<number[]>;
  /** As in `EventIndex`. */
  create(events: HotItemEvent[]): Promise<Outcome[]>;
  /** Makes everything created so far visible to `count`. Resolves with false if that is not permitted: it then takes `refreshMs`. */
  refresh(): Promise<boolean>;
  refreshMs: number;
  /** Whether the time of an event is within `ms` of now, by the clock of the index; missing if that is the clock of this host. */
  isNow?(id: string, ms: number): Promise<boolean>;
  close(): Promise<void>;
};

/** The same, for those who create nothing. */
export type PlainLookup = Omit<EventLookup, 'create'>;
