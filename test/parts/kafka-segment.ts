import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where things lie in a batch of records. */
const [LENGTH_AT, REST_AT, COUNT_AT, RECORDS_AT] = [8, 12, 57, 61];

/** A batch as it lies in a segment. */
export type SegmentBatch = {
  path: string;
  /** Where, in the segment. */
  at: number;
  /** Of its first record. */
  offset: number;
  /** Of records. */
  count: number;
  bytes: Buffer;
};

/** The batches of a partition, as its broker has them on its disk. `data`: its `log.dirs`. */
export function batchesOnDisk(data: string, topic: string, partition: number): SegmentBatch[] {
  const folder = join(data, `${topic}-${partition}`);
  const segments = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return segments.sort().flatMap((name) => [...batchesIn(join(folder, name))]);
}

/** Changes one bit of its records, as a failing disk does. A broker sends it so: it checks what it gets, not what it has. */
export function flipBit({ path, at, bytes }: SegmentBatch): void {
  const place = RECORDS_AT + 5;
  write(path, at + place, Buffer.from([(bytes[place] ?? 0) ^ 0x04]));
}

/** Has it as it was. */
export function mend({ path, at, bytes }: SegmentBatch): void {
  write(path, at, bytes);
}

function write(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function* batchesIn(path: string): Generator<SegmentBatch> {
  const segment = readFileSync(path);
  for (let at = 0; at + RECORDS_AT <= segment.length; ) {
    const end = at + REST_AT + segment.readInt32BE(at + LENGTH_AT);
    // Behind the last one there may be room that was made beforehand.
    if (end === at + REST_AT || end > segment.length) return;
    const bytes = segment.subarray(at, end);
    yield { path, at, offset: Number(bytes.readBigInt64BE(0)), count: bytes.readInt32BE(COUNT_AT), bytes };
    at = end;
  }
}
