import { AT } from './record-batch.ts';

/**
 * What may be unpacked of one answer to a fetch, all of its partitions together; the rest is fetched again. Some times what a
 * fetch asks for. The batch that goes beyond it is unpacked whole, so that each gets its turn.
 */
export const MOST_IN_ANSWER: number = 16 * 1024 * 1024;
/**
 * Records of one batch, and of one answer. Each takes up to 1 KB of memory, whatever is in it, and 7 bytes where it lies packed with
 * others like it. In the 1 MiB that clients put into one batch by default there are not so many.
 */
const MOST_RECORDS = 50_000;

/** The room that is left in one answer. */
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

/** Throws where a batch says that it holds more than `MOST_RECORDS`. */
export function refuseTooMany(batch: Buffer): void {
  const count = batch.readInt32BE(AT.count);
  if (count > MOST_RECORDS) throw new Error(`it has ${count} records, more than ${MOST_RECORDS}`);
}
