/** The past events that a log still holds, for `hotitem replay` and `hotitem verify`. */
export type History = {
  /** For people: `Kafka topic collection_hot_item`. */
  name: string;
  /**
   * Passes every record that may contain an event with `from <= time < to`, and others around it, up to the end of the log: the time of a
   * record does not limit that of later ones. Records that arrive after this call are left out. Ends with the first `handle` that rejects.
   * `onRead` is told how far it is.
   */
  read(range: TimeRange, handle: (records: PastRecord[]) => Promise<void>, onRead?: OnRead): Promise<Reach>;
  close(): Promise<void>;
};

/** How much is read, of how much there is to be read: records, or bytes. */
export type OnRead = (done: number, of: number) => void;

/** Clocks differ, and are set back: an event may seem to have come before its view. */
export const SKEW_MS = 3_600_000;

/** Times of events, ms since 1970. */
export type TimeRange = { from: number; to: number };

export type PastRecord = {
  value: Buffer;
  /** When it was received, ms since 1970; undefined if the log does not know. */
  received: number | undefined;
  /** Its position: `collection_hot_item/3` and `1207`, `spool` and `77`. */
  source: string;
  position: string;
  /** Whether the sink has not reached it yet. */
  waiting: boolean;
  /** Its sequence in a spool; undefined if the record has none. */
  place: Place | undefined;
  /** How many records it represents, and why they cannot be read; `position` is then `FIRST-LAST`. */
  undecodable?: { records: number; reason: string };
};

/** Events of one spool are numbered without a gap. */
export type Place = { node: string; boot: string; sequence: number };

/** The part of the log that was read. */
export type Reach = {
  /** Everything received since then is included, ms since 1970; 0 if nothing is missing. */
  since: number;
  /** Some or all events from before were removed from the log; undefined if none were. */
  removedBefore: number | undefined;
  /** What was removed from the log before the sink had read it. */
  removedUnread: RemovedRange[];
  /**
   * Sources of which the sink has read nothing, as far as the log knows. The events that count as `waiting` there may be of a source that
   * no sink reads.
   */
  unread: string | undefined;
  /** What was removed and may not have been read by the sink, because its position is unknown; in words. */
  forgotten: string | undefined;
  /** Bytes that exist but cannot be read, in words; undefined if there are none. */
  damage: string | undefined;
};

/** `collection_hot_item/3`, from the first to the last offset. */
export type RemovedRange = { source: string; first: string; last: string };
