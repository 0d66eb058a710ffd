/** Dead letters where they are kept: a topic, or a file. */
export type DeadLetterBox = {
  /** For people: `Kafka topic collection_hot_item.dead`. */
  name: string;
  /** Hands over every letter that is there at the time of this call, in the order in which they came (to one partition). */
  read(handle: (letter: KeptLetter) => void | Promise<void>): Promise<void>;
  /** Undefined where there is none of this id. */
  find(id: string): Promise<KeptLetter | undefined>;
  /** Remembers that these were replayed: a note among the letters themselves, so that it goes when they go. */
  markReplayed(ids: string[]): Promise<void>;
  /** Deletes what came before `time`, ms since 1970. */
  purge(time: number): Promise<void>;
  close(): Promise<void>;
};

export type KeptLetter = {
  /** `partition/offset` in a topic, the first digits of a checksum in a file. */
  id: string;
  /** When it was given up, ms since 1970. */
  time: number;
  /** When the log had the record, ms since 1970; undefined where the letter does not say. */
  recorded: number | undefined;
  reason: string;
  /** Where it lay: `collection_hot_item/3/1207`. */
  origin: string;
  value: Buffer;
  replayed: boolean;
  /** Set where it stands for so many letters that cannot be decoded; `reason` says why. */
  undecodable?: number;
};
