/** An answer of nginx to the keeper, as far as it was read. */
export type Page = {
  status: number;
  /** By name in lower case, all values in order. */
  headers: Map<string, string[]>;
  body: Buffer;
  /** Read: more than `MOST_BYTES` where it was broken off for that. */
  bytes: number;
  /** It came to its end. */
  isWhole: boolean;
  /** Until its headers came. */
  waitedMs: number;
};

/** Pages larger than this are not kept, as in cache.conf. */
export const MOST_BYTES = 5_000_000;
