/** What a log still holds of what came, for those who look back: `hotitem replay` and `hotitem verify`. */
export type History = {
  /** For people: `Kafka topic collection_hot_item`. */
  name: string;
  /**
   * Passes every record that may hold an event with `from <= time < to`, and others around it, one after the other: all up
   * to the end of the log, for the time of a record is no bound for those behind it. What comes later than this call is left
   * out. Ends with the first `handle` that rejects.
   */
  read(range: TimeRange, handle: (records: PastRecord[]) => Promise<void>): Promise<Reach>;
  close(): Promise<void>;
};

/** Times of events, ms since 1970. */
export type TimeRange = { from: number; to: number };

export type PastRecord = {
  value: Buffer;
  /** When it came here, ms since 1970; undefined where the log does not say. */
  received: number | undefined;
  /** Where it lies: `collection_hot_item/3` and `1207`, `spool` and `77`. */
  source: string;
  position: string;
  /** Whether the sink has not come to it yet. */
  waiting: boolean;
  /** Its place among the events of one spool; undefined where the record does not say. */
  place: Place | undefined;
  /** How many records it represents, and why they cannot be read; `position` is `FIRST-LAST` then. */
  undecodable?: { records: number; reason: string };
};

/** Events of one spool are numbered without a gap. */
export type Place = { node: string; boot: string; sequence: number };

/** What of the log was read. */
export type Reach = {
  /** All that came since is among it, ms since 1970; 0 where all that ever came is. */
  since: number;
  /** All that came before was removed from the log, or some of it; undefined where nothing was. */
  removedBefore: number | undefined;
  /** What was removed from the log before the sink had read it. */
  removedUnread: RemovedRange[];
  /** Where the sink has read nothing yet, as far as the log knows: `waiting` there may also be events that no sink reads. */
  unread: string | undefined;
  /** What was removed and may not have been read by the sink, because its position is unknown; in words. */
  forgotten: string | undefined;
  /** Bytes that are there and cannot be read, in words; undefined where there are none. */
  damage: string | undefined;
};

/** `collection_hot_item/3`, from the first to the last offset. */
export type RemovedRange = { source: string; first: string; last: string };
