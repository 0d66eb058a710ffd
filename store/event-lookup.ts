import type { HotItemEvent } from '../event/event.ts';
import type { Outcome } from './event-index.ts';

/** An index as those need it who look back: replay and verify. */
export type EventLookup = {
  /** For people: `data stream hot_item`. */
  name: string;
  /** Most ids, or events, at once. */
  most: number;
  /**
   * How often each event is there, whatever its document is called and in whichever backing index, in the order of `ids`.
   * Throws an `IndexUnavailable`.
   */
  count(ids: string[]): Promise<number[]>;
  /** As an index does. */
  create(events: HotItemEvent[]): Promise<Outcome[]>;
  /** Lets `count` see all that was created before. Resolves with false where that is not permitted: it then does within `refreshMs`. */
  refresh(): Promise<boolean>;
  refreshMs: number;
  /** Whether the time of an event is now, give or take `ms`, by the clock of the index; missing where that is the clock of this host. */
  isNow?(id: string, ms: number): Promise<boolean>;
  close(): Promise<void>;
};
