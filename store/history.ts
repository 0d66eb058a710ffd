/** What a log still holds of what came, for those who look back: `hotitem replay` and `hotitem verify`. */
export type History = {
  /** For people: `Kafka topic collection_hot_item`. */
  name: string;
  /**
   * Hands over every record that may hold an event with `from <= time < to`, and others around it, one after the other.
   * What comes later than this call is left out. Ends with the first `handle` that rejects.
   */
  read(range: TimeRange, handle: (records: PastRecord[]) => Promise<void>): Promise<Reach>;
  close(): Promise<void>;
};

/** Times of events, ms since 1970. */
export type TimeRange = { from: number; to: number };

export type PastRecord = {
  value: Buffer;
  /** When it came here, ms since 1970. */
  received: number;
  /** Where it lies: `collection_hot_item/3` and `1207`, `spool` and `77`. */
  source: string;
  position: string;
  /** Whether the sink has not come to it yet. */
  waiting: boolean;
  /** Its place among the events of one spool; undefined where the record does not say. */
  place: Place | undefined;
};

/** Events of one spool are numbered without a gap. */
export type Place = { node: string; boot: string; sequence: number };

/** What of the log was read. */
export type Reach = {
  /** All that came since is among it, ms since 1970; 0 where all that ever came is. */
  since: number;
  /** All that came before was removed from the log, or some of it; undefined where nothing was. */
  removedBefore: number | undefined;
};
