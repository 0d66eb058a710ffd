import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Positions of the fields in a batch of records. */
const [LENGTH_AT, REST_AT, COUNT_AT, RECORDS_AT] = [8, 12, 57, 61];

/** A batch in a segment. */
export type SegmentBatch = {
  path: string;
  /** Its position in the segment. */
  at: number;
  /** The offset of its first record. */
  offset: number;
  /** The number of records. */
  count: number;
  bytes: Buffer;
};

/** The batches of a partition on its broker's disk. `data`: its `log.dirs`. */
export function batchesOnDisk(data: string, topic: string, partition: number): SegmentBatch[] {
  const folder = join(data, `${topic}-${partition}`);
  const segments = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return segments.sort().flatMap((name) => [...batchesIn(join(folder, name))]);
}

/** Flips one bit of its records, as a failing disk does. The broker sends it unchecked: it verifies only what it receives. */
export function flipBit({ path, at, bytes }: SegmentBatch): void {
  const place = RECORDS_AT + 5;
  write(path, at + place, Buffer.from([(bytes[place] ?? 0) ^ 0x04]));
}

/** Restores it. */
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
    // After the last one there may be preallocated space.
    if (end === at + REST_AT || end > segment.length) return;
    const bytes = segment.subarray(at, end);
    yield { path, at, offset: Number(bytes.readBigInt64BE(0)), count: bytes.readInt32BE(COUNT_AT), bytes };
    at = end;
  }
}
