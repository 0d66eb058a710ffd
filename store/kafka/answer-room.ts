import { AT } from './record-batch.ts';

/**
 * Limit of what is decompressed of one response to a fetch, for all of its partitions together; the rest is fetched again. A few times the
 * requested size. The batch that exceeds it is decompressed completely, so that every batch gets its turn.
 */
export const MOST_IN_ANSWER: number = 16 * 1024 * 1024;
/**
 * Maximum records per batch, and per response. A record takes up to 1 KB of memory, whatever its content, and as little as 7 bytes in a
 * compressed batch. The 1 MiB batches that clients send by default contain fewer.
 */
const MOST_RECORDS = 50_000;

/** What is left of the limit for one response. */
export type AnswerRoom = {
  isLeft(): boolean;
  take(bytes: number, records: number): void;
};

export function createAnswerRoom(): AnswerRoom {
  let bytes = MOST_IN_ANSWER;
  let records = MOST_RECORDS;
  return {
    isLeft: () => bytes > 0 && records > 0,
    take(takenBytes, takenRecords) {
      bytes -= takenBytes;
      records -= takenRecords;
    },
  };
}

/** Throws if a batch claims more than `MOST_RECORDS`. */
export function refuseTooMany(batch: Buffer): void {
  const count = batch.readInt32BE(AT.count);
  if (count > MOST_RECORDS) throw new Error(`it has ${count} records, more than ${MOST_RECORDS}`);
}
