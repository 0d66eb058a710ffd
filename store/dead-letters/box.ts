/** A store of dead letters: a topic, or a file. */
export type DeadLetterBox = {
  /** For people: `Kafka topic collection_hot_item.dead`. */
  name: string;
  /**
   * Passes every letter that exists at the time of this call, in order of arrival (per partition). All are looked at before the first is
   * passed on: `onLook` is called meanwhile, and what it throws ends the reading.
   */
  read(handle: (letter: KeptLetter) => void | Promise<void>, onLook?: () => void): Promise<void>;
  /** Undefined if no letter has this id. */
  find(id: string): Promise<KeptLetter | undefined>;
  /** Records that these were replayed: as a note among the letters, so that both are deleted together. */
  markReplayed(ids: string[]): Promise<void>;
  /** Deletes letters that arrived before `time`, ms since 1970. */
  purge(time: number): Promise<void>;
  close(): Promise<void>;
};

export type KeptLetter = {
  /** `partition/offset` in a topic, the first digits of a checksum in a file. */
  id: string;
  /** When it became a dead letter, ms since 1970. */
  time: number;
  /** The time of the record in the log, ms since 1970; undefined if the letter does not contain it. */
  recorded: number | undefined;
  reason: string;
  /** Where the record was: `collection_hot_item/3/1207`. */
  origin: string;
  value: Buffer;
  replayed: boolean;
  /** Set if it represents this many letters that cannot be decoded; `reason` says why. */
  undecodable?: number;
};
